// Package release says which sets of versions are compared with each other. It
// reads what a user wants compared; it resolves, installs and measures nothing.
package release
