package frameworks

import (
	"fmt"
	"path/filepath"
	"regexp"
)

// EditionsPath is the file of the editions in restbench's source tree.
func EditionsPath(tree string) string { return filepath.Join(tree, "frameworks", editionsFile) }

// SetDate gives the text of editions.yaml with another date for one edition. It
// changes nothing else, so that comments stay.
func SetDate(text []byte, edition, date string) ([]byte, error) {
	entry := regexp.MustCompile(`(?m)(^- name: "?` + regexp.QuoteMeta(edition) + `"?\n  date: )\d{4}-\d{2}-\d{2}`)
	if !entry.Match(text) {
		return nil, fmt.Errorf("set the date of edition %s: it is not in %s", edition, editionsFile)
	}
	return entry.ReplaceAll(text, []byte("${1}"+date)), nil
}
