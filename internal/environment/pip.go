package environment

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// defaultIndex is the public package index.
const defaultIndex = "https://pypi.org/simple"

// pipSettings is what the user configured for pip, by pip's own names. Many
// machines know their mirror and their certificates only there.
type pipSettings map[string]string

// pip reads pip's settings in its order: files for the machine, for the user,
// the one named by PIP_CONFIG_FILE, then variables.
func (s settings) pip() pipSettings {
	p := pipSettings{}
	for _, name := range s.pipFiles() {
		p.read(name)
	}
	for name, value := range s.values {
		if key, ok := strings.CutPrefix(name, "PIP_"); ok && value != "" {
			p[strings.ToLower(strings.ReplaceAll(key, "_", "-"))] = value
		}
	}
	return p
}

func (s settings) pipFiles() []string {
	named := s.get("PIP_CONFIG_FILE")
	if named == os.DevNull {
		return nil // pip's way to say: no files
	}
	var files []string
	dirs := s.get("XDG_CONFIG_DIRS")
	if dirs == "" {
		dirs = "/etc/xdg"
	}
	for _, dir := range filepath.SplitList(dirs) {
		files = append(files, filepath.Join(dir, "pip", "pip.conf"))
	}
	files = append(files, "/etc/pip.conf")
	if home := s.get("HOME"); home != "" {
		files = append(files, filepath.Join(home, ".pip", "pip.conf"))
	}
	if dir := s.base("XDG_CONFIG_HOME", ".config"); dir != "" {
		files = append(files, filepath.Join(dir, "pip", "pip.conf"))
	}
	if named != "" {
		files = append(files, named)
	}
	return files
}

// read adds what a file says to all commands and to installing; the rest of it
// is not about the index. A value may go on in indented lines.
func (p pipSettings) read(name string) {
	f, err := os.Open(name)
	if err != nil {
		return
	}
	defer f.Close()
	section, key := "", ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimRight(lines.Text(), " \t")
		text := strings.TrimSpace(line)
		switch {
		case text == "" || text[0] == '#' || text[0] == ';':
		case line[0] == ' ' || line[0] == '\t':
			if key != "" {
				p[key] = strings.TrimSpace(p[key] + " " + text)
			}
		case text[0] == '[':
			section, key = strings.Trim(text, "[] "), ""
		default:
			key = ""
			name, value, ok := strings.Cut(text, "=")
			if ok && (section == "global" || section == "install" || section == "download") {
				key = strings.ReplaceAll(strings.TrimSpace(name), "_", "-")
				p[key] = strings.TrimSpace(value)
			}
		}
	}
}

// forUV says the same in uv's words. Certificates that the user set for all
// programs go before those set for pip.
func (p pipSettings) forUV(s settings) []string {
	var env []string
	set := func(name, value string) {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	set("UV_DEFAULT_INDEX", p["index-url"])
	if more := strings.Join(strings.Fields(p["extra-index-url"]), " "); more != "" {
		set("UV_INDEX", more)
		set("UV_INDEX_STRATEGY", "unsafe-best-match") // what pip does; hashes decide in the end
	}
	set("UV_FIND_LINKS", strings.Join(p.findLinks(), ","))
	set("UV_INSECURE_HOST", strings.Join(strings.Fields(p["trusted-host"]), " "))
	if s.first("SSL_CERT_FILE", "SSL_CERT_DIR") == "" {
		set("SSL_CERT_FILE", p["cert"])
	}
	if s.get("SSL_CLIENT_CERT") == "" {
		set("SSL_CLIENT_CERT", p["client-cert"])
	}
	if s.first("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy") == "" {
		set("ALL_PROXY", p["proxy"])
	}
	return env
}

// findLinks are addresses and paths, which uv would look up in a folder of its own.
func (p pipSettings) findLinks() []string {
	links := strings.Fields(p["find-links"])
	for i, link := range links {
		if strings.Contains(link, ":") {
			continue
		}
		if path, err := pathOf(link); err == nil {
			links[i] = path
		}
	}
	return links
}

func (p pipSettings) noIndex() bool {
	switch strings.ToLower(p["no-index"]) {
	case "1", "true", "t", "yes", "y", "on":
		return true
	}
	return false
}

// configuresUV reports whether the user told uv itself where its index is.
func (s settings) configuresUV() bool {
	if s.first("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL",
		"UV_FIND_LINKS", "UV_CONFIG_FILE") != "" {
		return true
	}
	for _, name := range []string{filepath.Join(s.base("XDG_CONFIG_HOME", ".config"), "uv", "uv.toml"), "/etc/uv/uv.toml"} {
		if _, err := os.Stat(name); err == nil {
			return true
		}
	}
	return false
}

// index is the address of the simple index that uv itself is fetched from, empty
// where the user wants none to be asked.
func (s settings) index() string {
	if address := s.first("UV_DEFAULT_INDEX", "UV_INDEX_URL"); address != "" {
		if _, named, ok := strings.Cut(address, "="); ok && strings.Contains(named, "://") && !strings.Contains(address[:len(address)-len(named)], ":") {
			return named // "name=address", as uv allows
		}
		return address
	}
	pip := s.pip()
	switch {
	case pip.noIndex():
		return ""
	case pip["index-url"] != "":
		return pip["index-url"]
	}
	return defaultIndex
}
