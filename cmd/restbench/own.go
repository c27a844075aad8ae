//go:build linux && (amd64 || arm64)

package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
)

// ownFile holds how the user's own targets were configured in the last complete
// campaign, as a hash: the history has their names and no commands, in which there
// may be secrets.
func (d *daemon) ownFile() string { return filepath.Join(d.state, "own-targets.sha256") }

// ownHash changes with anything that the configuration says of own targets: their
// versions, commands, requests, answers.
func (c choice) ownHash() (string, error) {
	text, err := json.Marshal(c.own)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// sameOwn reports whether the last campaign measured own targets as they are
// configured now.
func (d *daemon) sameOwn(chosen choice) bool {
	if len(chosen.own) == 0 {
		return true
	}
	want, err := chosen.ownHash()
	if err != nil {
		return false
	}
	known, err := os.ReadFile(d.ownFile())
	return err == nil && string(known) == want
}

func (d *daemon) rememberOwn(chosen choice) {
	if len(chosen.own) == 0 {
		return
	}
	hash, err := chosen.ownHash()
	if err == nil {
		err = os.WriteFile(d.ownFile(), []byte(hash), 0o600)
	}
	if err != nil {
		d.log.Warn().Err(err).Msg("remember what own targets were measured; the next start measures them at once")
	}
}
