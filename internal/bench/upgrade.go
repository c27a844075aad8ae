package bench

import "time"

// EditionLatest is what the package index offers: resolved when the daemon asks,
// locked in its state folder, never committed.
const EditionLatest = "latest"

// EditionBefore holds, in an upgrade campaign, the releases that latest had.
const EditionBefore = "latest (before)"

// ProtocolUpgrade names the protocol of an old and a new set of releases.
const ProtocolUpgrade = "upgrade"

// EditionBetween holds, in further upgrade campaigns, the releases that latest had
// with some of those that it has now.
const EditionBetween = "latest (between)"

// leastRounds is how many rounds even a short upgrade campaign has room for: a
// ratio is known from eight starts of the servers on, and on a machine that
// disturbs half of the time is for repetitions.
const leastRounds = 24

// Upgrade is the protocol for a framework's releases before and after an upgrade:
// that of a comparison, which ends when the ratio is known to ± precision. No
// measurement is longer than longest, and a short length makes them shorter.
func Upgrade(length, longest time.Duration, precision float64) Protocol {
	p := Adaptive()
	p.Name, p.Precision = ProtocolUpgrade, precision
	if room := min(longest+longest/4, length/(2*leastRounds)); p.Duration+p.Warmup > room {
		if p.Warmup = (room / 5).Truncate(time.Millisecond); p.Warmup < 50*time.Millisecond {
			p.Warmup = 0
		}
		p.Duration = max(100*time.Millisecond, (room - p.Warmup).Truncate(time.Millisecond))
	}
	return p.Filling(length, 2)
}
