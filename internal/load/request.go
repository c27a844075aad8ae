package load

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"restbench/internal/bench"
)

// Runner runs a program to its end.
type Runner interface {
	Run(context.Context, bench.Command) (bench.Output, error)
}

// ParseURL takes apart what `restbench load` is given. As with wrk, the port is
// part of Host only where the URL names one. "localhost" is 127.0.0.1.
func ParseURL(raw string) (address string, request bench.Request, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", request, fmt.Errorf("read the URL: %w", err)
	}
	if u.Scheme != "http" || u.Host == "" || u.User != nil {
		return "", request, fmt.Errorf("read the URL %q: want http://127.0.0.1:PORT/PATH", raw)
	}
	host, port := u.Hostname(), u.Port()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port == "" {
		port = "80"
	}
	path := u.RequestURI()
	request = bench.Request{Path: path, Headers: map[string]string{"Host": u.Host}}
	address = host + ":" + port
	_, err = loopback(address)
	return address, request, err
}

// loopback refuses to put load on anything but this machine.
func loopback(address string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !at.Addr().IsLoopback() || at.Port() == 0 {
		return at, fmt.Errorf("address %q: load goes to loopback only, as 127.0.0.1:PORT", address)
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
}

// requestBytes is the request as wrk writes it: no header of its own but Host.
func requestBytes(address string, r bench.Request) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", methodOf(r), pathOf(r))
	if !hasHost(r.Headers) {
		fmt.Fprintf(&b, "Host: %s\r\n", address)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.Headers[name])
	}
	b.WriteString("\r\n")
	return []byte(b.String()), nil
}

func methodOf(r bench.Request) string {
	if r.Method == "" {
		return "GET"
	}
	return r.Method
}

func pathOf(r bench.Request) string {
	if r.Path == "" {
		return "/"
	}
	return r.Path
}

func hasHost(headers map[string]string) bool {
	for name := range headers {
		if isHost(name) {
			return true
		}
	}
	return false
}

func isHost(name string) bool { return strings.EqualFold(name, "Host") }
