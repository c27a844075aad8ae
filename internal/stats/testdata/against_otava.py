"""Compares restbench detect with Apache Otava on a history with slow-downs put into it.

    pip install apache-otava==0.8.0
    python against_otava.py RESTBENCH web-frameworks-c64.csv

Both see the rows one at a time. Otava gets the series as they are, with the common
movement of the field taken out, and so and begun anew at each other machine, as
restbench does. For each magnitude its p is that, of the ones tried, that reports
most without reporting more than restbench in the history as it is, or else least.
"""

import csv
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile

from otava.analysis import compute_change_points, fill_missing

FIRST = 2  # column of the first series; before it time and hardware
WITHIN = (2, 3, 5, 15)  # campaigns
SAME = 2  # rows by which a change point may move without being another one
PVALUES = (1e-3, 1e-5, 1e-7)
MAGNITUDES = (0.05, 0.10, 0.30)


def read(path):
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    series = [[float(row[c]) if row[c] else None for row in rows] for c in range(FIRST, len(header))]
    return header, rows, series


def since_machine(rows):
    """The first row of the machine that each row was measured on."""
    first = []
    for number, row in enumerate(rows):
        same = number > 0 and row[1] == rows[number - 1][1]
        first.append(first[-1] if same else number)
    return first


def without_field(series):
    """Divides each row by the median of its values relative to those of the first rows."""
    levels = [statistics.median([v for v in values if v][:10]) for values in series]
    result = [list(values) for values in series]
    for row in range(len(series[0])):
        moves = [math.log(values[row] / level) for values, level in zip(series, levels) if values[row]]
        for values in result:
            if values[row]:
                values[row] /= math.exp(statistics.median(moves))
    return result


class Otava:
    """One series, as it grows: a change point is an alarm when it is first seen."""

    def __init__(self, pvalue, magnitude, first):
        self.pvalue, self.magnitude = pvalue, magnitude
        self.first = first  # of the rows that each row is compared with

    def alarms(self, values, start, known):
        """Rows of new slow-downs and all reported indices, from start on."""
        reported, slower, count = list(known), [], 0
        for end in range(start, len(values)):
            offset = max(self.first[end], end - 99)
            part = list(values[offset:end + 1])
            if part[-1] is None or sum(v is not None for v in part) < 4:
                continue
            fill_missing(part)
            for point in compute_change_points(part, 50, self.pvalue, self.magnitude)[0]:
                index = offset + point.index
                if any(abs(index - other) <= SAME for other, _ in reported):
                    continue
                reported.append((index, end))
                count += 1
                if point.stats.mean_2 < point.stats.mean_1:
                    slower.append(end)
        return slower, reported, count


def restbench(program, header, rows, victim=None, start=0, share=0.0):
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for number, row in enumerate(rows):
            row = list(row)
            if victim is not None and number >= start and row[FIRST + victim]:
                row[FIRST + victim] = float(row[FIRST + victim]) * (1 - share)
            writer.writerow(row)
        file.flush()
        out = subprocess.run(
            [program, "detect", "--group", "--environment=" + header[1], "--format=json", file.name],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return [c for c in json.loads(out)["changes"] if c["series"] is not None]


def delay(slower, before, start):
    """Campaigns until a slow-down that is not reported without the injection; 0: never."""
    for row in slower:
        if start <= row < start + max(WITHIN) and row not in before:
            return row - start + 1
    return 0


def shares(delays):
    return " | ".join("%3.0f %%" % (100 * sum(0 < d <= n for d in delays) / len(delays)) for n in WITHIN)


def main(program, path, count=100):
    header, rows, series = read(path)
    known = restbench(program, header, rows)
    places = [(random.Random(i).randrange(len(series)), random.Random(-i - 1).randrange(8, len(rows) - 15)) for i in range(count)]
    print("| detector | alarms | slower by | within 2 | 3 | 5 | 15 |\n|---|---|---|---|---|---|---|")
    for share in (0.05, 0.10, 0.20):
        delays = []
        for victim, start in places:
            name = header[FIRST + victim]
            before = [c["reported"] for c in known if c["series"] == name and c["kind"] == "slower"]
            found = restbench(program, header, rows, victim, start, share)
            delays.append(delay([c["reported"] for c in found if c["series"] == name and c["kind"] == "slower"], before, start))
        print("| restbench | %d | %.0f %% | %s |" % (len(known), 100 * share, shares(delays)), flush=True)
    always, flat = [0] * len(rows), without_field(series)
    for what, data, first in (("as it is", series, always), ("field taken out", flat, always), ("and anew on each machine", flat, since_machine(rows))):
        for magnitude in MAGNITUDES:
            compete("%s, magnitude %g" % (what, magnitude), data, first, places, len(known), [(p, magnitude) for p in PVALUES])


def compete(what, data, first, places, allowed, settings):
    fewest, best = None, None
    for setting in settings:
        base = [Otava(*setting, first).alarms(values, 3, []) for values in data]
        alarms = sum(count for _, _, count in base)
        if fewest is None or alarms < fewest[0]:
            fewest = (alarms, setting, base)
        if alarms <= allowed and (best is None or alarms > best[0]):
            best = (alarms, setting, base)
    alarms, setting, base = best or fewest
    for share in (0.05, 0.10, 0.20):
        delays = []
        for victim, start in places:
            values = [v if v is None or i < start else v * (1 - share) for i, v in enumerate(data[victim])][:start + max(WITHIN)]
            before = [pair for pair in base[victim][1] if pair[1] < start]
            slower, _, _ = Otava(*setting, first).alarms(values, start, before)
            delays.append(delay(slower, base[victim][0], start))
        print("| Otava, %s, p %g | %d | %.0f %% | %s |" % (what, setting[0], alarms, 100 * share, shares(delays)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
