package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"restbench/internal/bench"
)

var (
	unknownField = regexp.MustCompile(`^line (\d+): field (\S+) not found in type (\S+)$`)
	lineFirst    = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
)

// explain rewrites the decoder's words, which speak of Go types, into a line
// for somebody who wrote a file. Only the first mistake is told: the others
// often follow from it.
func explain(path string, err error) error {
	text := err.Error()
	var mistakes *yaml.TypeError
	if errors.As(err, &mistakes) && len(mistakes.Errors) > 0 {
		text = mistakes.Errors[0]
	}
	if m := unknownField.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s:%s: unknown key %q%s", path, m[1], m[2], known(m[3]))
	}
	if m := lineFirst.FindStringSubmatch(text); m != nil {
		return fmt.Errorf("%s:%s: %s", path, m[1], m[2])
	}
	return fmt.Errorf("%s: %s", path, strings.TrimPrefix(text, "yaml: "))
}

// known lists the keys that may stand where the unknown one stood.
func known(typeName string) string {
	types := []any{Config{}, Target{}, Latest{}, bench.Protocol{}, bench.Request{}, Expect{}}
	for _, value := range types {
		t := reflect.TypeOf(value)
		if t.String() == typeName {
			return " (known here: " + strings.Join(keys(t), ", ") + ")"
		}
	}
	return ""
}

func keys(t reflect.Type) []string {
	var names []string
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
