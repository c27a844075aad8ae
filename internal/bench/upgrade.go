package bench

import "time"

// EditionLatest is what the package index offers: resolved when the daemon asks,
// locked in its state folder, never committed.
const EditionLatest = "latest"

// EditionBefore holds, in an upgrade campaign, the releases that latest had.
const EditionBefore = "latest (before)"

// ProtocolUpgrade names the protocol of an old and a new set of releases.
const ProtocolUpgrade = "upgrade"

// Upgrade is the protocol for a framework's releases before and after an upgrade:
// that of a comparison, which ends when the ratio is known to ± precision.
func Upgrade(length time.Duration, precision float64) Protocol {
	p := Adaptive()
	p.Name, p.Precision = ProtocolUpgrade, precision
	return p.Filling(length, 2)
}
