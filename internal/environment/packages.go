package environment

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// normalize writes a package name as the index compares it: Flask_Cors and
// flask-cors are one package.
func normalize(name string) string {
	fields := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return r == '-' || r == '_' || r == '.'
	})
	return strings.Join(fields, "-")
}

// installed lists what a virtual environment holds, normalized name to release,
// from the metadata that installers leave behind.
func installed(venv string) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(venv, "lib", "python*", "site-packages", "*.dist-info", "METADATA"))
	if err != nil {
		return nil, err
	}
	packages := make(map[string]string, len(names))
	for _, name := range names {
		pkg, version, err := readMetadata(name)
		if err != nil {
			return nil, err
		}
		packages[normalize(pkg)] = version
	}
	return packages, nil
}

// readMetadata reads the two headers that are needed; they come first, before a
// description of any length.
func readMetadata(name string) (pkg, version string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() && lines.Text() != "" && (pkg == "" || version == "") {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch strings.ToLower(key) {
		case "name":
			pkg = strings.TrimSpace(value)
		case "version":
			version = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil {
		return "", "", err
	}
	if pkg == "" || version == "" {
		return "", "", fmt.Errorf("%s: name or version is missing", name)
	}
	return pkg, version, nil
}
