package bench

import (
	"fmt"
	"strings"
)

// Request is the one request that is sent over and over.
type Request struct {
	Method  string            `yaml:"method" json:"method"` // GET when empty
	Path    string            `yaml:"path" json:"path"`     // / when empty
	Headers map[string]string `yaml:"headers,omitempty" json:"headers,omitempty"`
}

// Validate refuses what would not be one well-formed request, and HEAD and
// CONNECT, whose answers end by other rules.
func (r Request) Validate() error {
	switch {
	case r.Method != "" && !IsToken(r.Method), r.Method == "HEAD", r.Method == "CONNECT":
		return fmt.Errorf("request: method %q is not supported", r.Method)
	case r.Path != "" && !isPath(r.Path):
		return fmt.Errorf("request: path %q is not a path: it starts with / and has no blanks and only ASCII", r.Path)
	}
	for name, value := range r.Headers {
		if !IsToken(name) || strings.ContainsAny(value, "\r\n\x00") {
			return fmt.Errorf("request: header %q is not a header", name)
		}
	}
	return nil
}

func isPath(path string) bool {
	return path[0] == '/' && !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' })
}

// IsToken reports whether text may be the name of a header or a method.
func IsToken[T string | []byte](text T) bool {
	for i := range len(text) {
		c := text[i]
		letter, digit := 'a' <= c|0x20 && c|0x20 <= 'z', '0' <= c && c <= '9'
		if !letter && !digit && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return len(text) > 0
}
