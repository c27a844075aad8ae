// Package docs holds the pages of the documentation that restbench itself shows.
// There is nothing but their text in it.
package docs

import _ "embed"

//go:embed runbooks.md
var runbooks string

// Runbooks is runbooks.md, in Markdown: what to do at each alert.
func Runbooks() string { return runbooks }
