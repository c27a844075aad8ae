package environment

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// indexClient reads a simple index (PEP 503 and 691), as much of it as finding
// one wheel needs.
type indexClient struct {
	index string
	pin   pin
	http  *http.Client
}

const listingMax = 64 << 20 // bytes

func newIndexClient(s settings, p pin) (*indexClient, error) {
	index := s.index()
	if index == "" {
		return nil, errors.New("pip is told to ask no index (no-index), and cannot get uv elsewhere")
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
	}
	if name := s.pip()["cert"]; name != "" {
		roots, err := withCertificates(name)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &indexClient{index: index, pin: p, http: &http.Client{Transport: transport}}, nil
}

// withCertificates adds those of a file to the system's.
func withCertificates(name string) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read certificates: %w", err)
	}
	roots.AppendCertsFromPEM(content)
	return roots, nil
}

// download brings the wheel for this machine into dir.
func (c *indexClient) download(ctx context.Context, dir string) (string, error) {
	defer c.http.CloseIdleConnections()
	files, err := c.list(ctx)
	if err != nil {
		return "", explainNetwork(err)
	}
	name, address := c.pin.wheel(files)
	if name == "" {
		return "", fmt.Errorf("the index has no uv %s for %s/%s; install uv", c.pin.version(), runtime.GOOS, runtime.GOARCH)
	}
	response, err := c.get(ctx, address, "*/*")
	if err != nil {
		return "", explainNetwork(err)
	}
	defer response.Body.Close()
	target := filepath.Join(dir, name)
	if err := writeExecutable(target, response.Body); err != nil {
		return "", explainNetwork(err)
	}
	return target, nil
}

// list returns the files of uv, name to address.
func (c *indexClient) list(ctx context.Context) (map[string]string, error) {
	address := strings.TrimRight(c.index, "/") + "/uv/"
	response, err := c.get(ctx, address, "application/vnd.pypi.simple.v1+json, text/html;q=0.5")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, listingMax))
	if err != nil {
		return nil, err
	}
	links := anchors(content)
	if strings.Contains(response.Header.Get("Content-Type"), "json") {
		if links, err = listed(content); err != nil {
			return nil, fmt.Errorf("read %s: %w", response.Request.URL.Redacted(), err)
		}
	}
	files := make(map[string]string, len(links))
	for _, link := range links {
		if at, err := response.Request.URL.Parse(link); err == nil {
			files[path.Base(at.Path)] = at.String()
		}
	}
	return files, nil
}

func listed(content []byte) ([]string, error) {
	var listing struct {
		Files []struct {
			URL string `json:"url"`
		} `json:"files"`
	}
	if err := json.Unmarshal(content, &listing); err != nil {
		return nil, err
	}
	var links []string
	for _, file := range listing.Files {
		links = append(links, file.URL)
	}
	return links, nil
}

func anchors(content []byte) []string {
	var links []string
	for _, match := range regexp.MustCompile(`(?i)<a\s[^>]*?href\s*=\s*["']([^"']+)["']`).FindAllSubmatch(content, -1) {
		links = append(links, html.UnescapeString(string(match[1])))
	}
	return links
}

func (c *indexClient) get(ctx context.Context, address, accept string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("User-Agent", "restbench")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("%s answers %s", request.URL.Redacted(), response.Status)
	}
	return response, nil
}

// wheel takes the wheel for this machine. The one for musl is linked
// statically and runs everywhere; the usual one is preferred where it runs.
func (p pin) wheel(files map[string]string) (name, address string) {
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	if machine == "" || runtime.GOOS != "linux" {
		return "", ""
	}
	kinds := []string{"musllinux"}
	if loaders, _ := filepath.Glob("/lib*/ld-linux-*.so.*"); len(loaders) > 0 {
		kinds = []string{"manylinux", "musllinux"}
	}
	for _, kind := range kinds {
		wheel := regexp.MustCompile(`^uv-` + regexp.QuoteMeta(p.version()) + `-py3-none-(.*\.)?` + kind + `_?\w*_` + machine + `(\..*)?\.whl$`)
		for name, address := range files {
			if wheel.MatchString(name) {
				return name, address
			}
		}
	}
	return "", ""
}

// explainNetwork adds what to do where the index did not answer at all.
func explainNetwork(err error) error {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%w (check the network, or name a mirror with PIP_INDEX_URL)", err)
	}
	return err
}
