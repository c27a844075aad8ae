package exporter

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/crypto/bcrypt"
)

func flags(configFile string, addresses ...string) *web.FlagConfig {
	systemd := false
	return &web.FlagConfig{WebListenAddresses: &addresses, WebSystemdSocket: &systemd, WebConfigFile: &configFile}
}

// serve runs e until the test ends and returns where it listens.
func serve(t *testing.T, e *Exporter, f *web.FlagConfig) (addresses []string, stop func() error) {
	t.Helper()
	server, err := e.Listen(f)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	for _, a := range server.Addrs() {
		addresses = append(addresses, a.String())
	}
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("end of serving: %v", err)
		}
	})
	return addresses, stop
}

func get(t *testing.T, client *http.Client, url, user, password string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func newClient(t *testing.T, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func TestServe(t *testing.T) {
	e := newExporter(t, options())
	addresses, stop := serve(t, e, flags("", "127.0.0.1:0", "127.0.0.1:0"))
	client := newClient(t, nil)
	for _, a := range addresses {
		if status, text := get(t, client, "http://"+a+"/-/ready", "", ""); status != http.StatusOK {
			t.Errorf("%s: %d %s", a, status, text)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := e.Ready(); err == nil {
		t.Error("ready after the end")
	}
	for _, a := range addresses {
		if c, err := net.Dial("tcp", a); err == nil {
			c.Close()
			t.Errorf("%s is still open", a)
		}
	}
}

// Two daemons in one process know nothing of each other.
func TestTwoAtOnce(t *testing.T) {
	a, b := newExporter(t, options()), newExporter(t, options())
	playWhole(a, 1)
	first, _ := serve(t, a, flags("", "127.0.0.1:0"))
	second, _ := serve(t, b, flags("", "127.0.0.1:0"))
	client := newClient(t, nil)
	_, with := get(t, client, "http://"+first[0]+"/metrics", "", "")
	_, without := get(t, client, "http://"+second[0]+"/metrics", "", "")
	const series = "\nrestbench_requests_per_second{"
	if !strings.Contains(with, series) || strings.Contains(without, series) {
		t.Error("results are in the wrong one")
	}
}

func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	_, err = newExporter(t, options()).Listen(flags("", "127.0.0.1:0", address))
	want := "listen " + address + ": address already in use (is restbench running already? choose another with --web.listen-address)"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestListenErrors(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yml")
	broken := write(t, "web.yml", "tls_server_config: {cert_file: missing.crt, key_file: missing.key}\n")
	cases := map[string]struct {
		flags *web.FlagConfig
		want  string
	}{
		"no address":  {flags(""), "no address to listen on"},
		"bad address": {flags("", "127.0.0.1:notaport"), "listen 127.0.0.1:notaport: "},
		"no file":     {flags(missing, "127.0.0.1:0"), "web configuration " + missing + ": "},
		"no cert":     {flags(broken, "127.0.0.1:0"), "missing.crt"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := newExporter(t, options()).Listen(c.flags); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// certificate is a self-signed one for 127.0.0.1 in two files, and a pool that
// trusts it.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "restbench"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return write(t, "tls.crt", string(certPEM)), write(t, "tls.key", string(keyPEM)), pool
}

func TestTLSAndBasicAuthentication(t *testing.T) {
	cert, key, pool := certificate(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	config := write(t, "web.yml", fmt.Sprintf(
		"tls_server_config: {cert_file: %q, key_file: %q}\nbasic_auth_users: {reader: %q}\n", cert, key, hash))
	addresses, _ := serve(t, newExporter(t, options()), flags(config, "127.0.0.1:0", "127.0.0.1:0"))
	client := newClient(t, &tls.Config{RootCAs: pool})
	for _, a := range addresses {
		for _, path := range []string{"/", "/metrics", "/-/healthy"} {
			if status, _ := get(t, client, "https://"+a+path, "reader", "secret"); status != http.StatusOK {
				t.Errorf("%s with the password: %d", path, status)
			}
			if status, _ := get(t, client, "https://"+a+path, "reader", "wrong"); status != http.StatusUnauthorized {
				t.Errorf("%s with a wrong password: %d", path, status)
			}
			if status, _ := get(t, client, "https://"+a+path, "", ""); status != http.StatusUnauthorized {
				t.Errorf("%s without a password: %d", path, status)
			}
		}
		if status, _ := get(t, newClient(t, nil), "http://"+a+"/metrics", "reader", "secret"); status != http.StatusBadRequest {
			t.Errorf("plain HTTP: %d", status)
		}
	}
	if _, err := newClient(t, nil).Get("https://" + addresses[0]); err == nil {
		t.Error("the certificate is trusted without its authority")
	}
}

// A request under way may finish; one that never does is cut off.
func TestShutdownWaitsForRequests(t *testing.T) {
	inside, leave := make(chan struct{}), make(chan struct{})
	o := options()
	o.EnableLifecycle = true
	o.Reload = func() error { close(inside); <-leave; return nil }
	e := newExporter(t, o)
	addresses, stop := serve(t, e, flags("", "127.0.0.1:0"))
	answered := make(chan int, 1)
	client := newClient(t, nil)
	go func() {
		response, err := client.Post("http://"+addresses[0]+"/-/reload", "", nil)
		if err != nil {
			answered <- 0
			return
		}
		response.Body.Close()
		answered <- response.StatusCode
	}()
	<-inside
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	select {
	case err := <-stopped:
		t.Fatalf("stopped before the request was answered: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	if e.Ready() == nil {
		t.Error("ready while it ends")
	}
	close(leave)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request got %d", status)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// A slow or silent client holds nothing for ever, and a large header is refused.
func TestHostileClients(t *testing.T) {
	addresses, _ := serve(t, newExporter(t, options()), flags("", "127.0.0.1:0"))
	request, err := http.NewRequest(http.MethodGet, "http://"+addresses[0]+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Large", strings.Repeat("x", 64<<10))
	response, err := newClient(t, nil).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d, want 431", response.StatusCode)
	}
	s := (&Server{exporter: newExporter(t, options()), log: slog.New(slog.DiscardHandler)}).newServer()
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 {
		t.Error("a timeout is missing")
	}
}
