# SPDX-License-Identifier: MIT
"""Zones and service hours against a second implementation on Python's zoneinfo.

Random calendars in every zone of the system, years 2000 to 2040, half of the instants close to a
clock change. The oracle lays every window out in UTC and looks at all of them; it knows nothing of
the ways in which the product saves itself work.
"""
import functools
import os
import random
import subprocess
import time
import zoneinfo
from datetime import date, datetime, timedelta, timezone

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROBE = os.path.join(os.environ.get("BUILD", os.path.join(ROOT, "build")), "tests", "hours_probe")
SEED = int(os.environ.get("HOURS_SEED", "20260305"))
SECONDS = float(os.environ.get("HOURS_SECONDS", "15"))  # for each of the two tests
UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
SEARCH_DAYS = 400


def zone_names():
    """Names of the database; `posix/`, `right/` and what is not a zone are not in this set."""
    skip = {"localtime", "Factory"}
    return sorted(zoneinfo.available_timezones() - skip)


def seconds_of(moment):
    return int((moment - EPOCH).total_seconds())


class Zone:
    def __init__(self, name):
        self.name = name
        self.info = zoneinfo.ZoneInfo(name)
        self.walls = {}

    def offset(self, at_s):
        return int((EPOCH + timedelta(seconds=at_s)).astimezone(self.info).utcoffset().total_seconds())

    def local(self, at_s):
        return (EPOCH + timedelta(seconds=at_s)).astimezone(self.info).replace(tzinfo=None)

    def changes(self):
        """Instants of clock changes, 2000 to 2040."""
        step = 5 * 86400
        low, last = seconds_of(datetime(2000, 1, 1, tzinfo=UTC)), seconds_of(datetime(2041, 1, 1, tzinfo=UTC))
        found, before = [], self.offset(low)
        while low < last:
            high = low + step
            after = self.offset(high)
            if after != before:
                found.append(self.change_between(low, high))
            low, before = high, after
        return found

    def change_between(self, low, high):
        before = self.offset(low)
        while high - low > 1:
            middle = (low + high) // 2
            if self.offset(middle) == before:
                low = middle
            else:
                high = middle
        return high

    def wall(self, day_number, minute):
        """The first and the second instant of a wall time, by the contract's rules, in seconds."""
        key = day_number, minute
        if key not in self.walls:
            self.walls[key] = self.find_wall(day_number, minute)
        return self.walls[key]

    def find_wall(self, day_number, minute):
        naive = datetime(1970, 1, 1) + timedelta(days=day_number, minutes=minute)
        both = [seconds_of(naive.replace(tzinfo=self.info, fold=fold)) for fold in (0, 1)]
        real = [at for at in both if self.local(at) == naive]
        if not real:  # skipped: fold 1 reckons with the offset after the gap, fold 0 with that before
            change = self.change_between(both[1] - 1, both[0] + 1)
            return change, change
        return real[0], real[-1]


class Calendar:
    """`week`: None or seven lists of (open, close) in minutes; `dates`: {day number: list}."""

    def __init__(self, zone, week, dates):
        self.zone, self.week, self.dates = zone, week, dates

    def text(self):
        def day_text(windows):
            return ",".join("%02d:%02d-%02d:%02d" % (*divmod(a, 60), *divmod(b if b <= 1440 else b - 1440, 60))
                            for a, b in windows) or "closed"

        parts = []
        if self.week is not None:
            parts += [f"{DAYS[i]}={day_text(self.week[i])}" for i in range(7)]
        parts += [f"{EPOCH_DAY + timedelta(days=n)}={day_text(self.dates[n])}" for n in sorted(self.dates)]
        return ";".join(parts)

    def windows(self, n):
        """The windows of a day; None where the calendar says nothing."""
        if n in self.dates:
            return self.dates[n]
        return None if self.week is None else self.week[(n + 3) % 7]

    def spans(self, n):
        windows = self.windows(n)
        if windows is None:
            spans = [(self.zone.wall(n, 0)[0], self.zone.wall(n + 1, 0)[0])]
        else:
            spans = [(self.zone.wall(n, a)[0], self.zone.wall(n, b)[1]) for a, b in windows]
        return [(a, b) for a, b in spans if a < b]

    def all_spans(self, first, last):
        return sorted(span for n in range(first, last + 1) for span in self.spans(n))

    def next_open(self, at_ms):
        """All windows of 400 days, no stopping early but by whole weeks."""
        today = (self.zone.local(at_ms // 1000).date() - EPOCH_DAY).days
        for reach in (16, SEARCH_DAYS + 3):
            found = [max(a * 1000, at_ms) for a, b in self.all_spans(today - 3, today + reach) if b * 1000 > at_ms]
            if found:
                best = min(found)
                return best if best <= at_ms + SEARCH_DAYS * 86400000 else None
        return None

    def arrival(self, at_ms):
        today = (self.zone.local(at_ms // 1000).date() - EPOCH_DAY).days
        for n in (today, today - 1, today - 2, today + 1):
            if self.windows(n) is not None:
                for a, b in self.spans(n):
                    if a * 1000 <= at_ms < b * 1000:
                        return a * 1000, b * 1000
        if self.windows(today) is None:
            return None
        spans = self.spans(today)
        coming = [span for span in spans if span[0] * 1000 > at_ms]
        chosen = coming[0] if coming else spans[-1] if spans else None
        return chosen and (chosen[0] * 1000, chosen[1] * 1000)


def some_windows(rng):
    kind = rng.random()
    if kind < 0.25:
        return []
    if kind < 0.35:
        return [(0, 1440)]
    if kind < 0.5:  # over midnight
        a = rng.choice([1320, 1380, 1410, 1439, rng.randrange(1, 1440)])
        return [(a, 1440 + rng.randrange(0, a))]
    if kind < 0.75:  # where clocks change
        marks = sorted(rng.sample(range(0, 241, 15), 4))
        return [(marks[0], marks[1]), (marks[2], marks[3])]
    marks = sorted(rng.sample(range(0, 1441), 2 * rng.randrange(1, 4)))
    return list(zip(marks[::2], marks[1::2]))


def some_calendar(rng, zone, at_s):
    today = (zone.local(at_s).date() - EPOCH_DAY).days
    week = None if rng.random() < 0.3 else [some_windows(rng) for _ in range(7)]
    if week is not None and rng.random() < 0.15:
        week = [[] for _ in range(7)]
    near = [today + rng.randrange(-3, 5) for _ in range(rng.choice([0, 0, 1, 3]))]
    far = [today + rng.choice([-40, 30, 200, 365, 398, 399, 400, 401]) for _ in range(rng.choice([0, 0, 1]))]
    return Calendar(zone, week, {n: some_windows(rng) for n in near + far})


def some_instant(rng, changes):
    if changes and rng.random() < 0.6:
        at = rng.choice(changes) * 1000
        return at + rng.choice([-86400000, -3600000, -1800000, -1, 0, 1, 1800000, 3600000, rng.randrange(-2 * 86400000, 86400000)])
    return rng.randrange(seconds_of(datetime(2000, 1, 1, tzinfo=UTC)), seconds_of(datetime(2040, 12, 31, tzinfo=UTC))) * 1000 + rng.choice([0, 0, 999])


def ask(questions):
    done = subprocess.run([PROBE], input="".join(q + "\n" for q in questions), capture_output=True, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stderr
    answers = done.stdout.splitlines()
    assert len(answers) == len(questions)
    return answers


@functools.cache
def zones():
    return [Zone(name) for name in zone_names()]


@functools.cache
def changes_of(name):
    return Zone(name).changes()


def fair_turns(zone_list, seconds, each):
    """Calls each zone once at least, and goes round until the time is over."""
    end, rounds = time.monotonic() + seconds, 0
    while rounds == 0 or time.monotonic() < end:
        for zone in zone_list:
            each(zone)
            if rounds > 0 and time.monotonic() >= end:
                break
        rounds += 1
    return rounds


@pytest.mark.long
def test_wall_times_in_every_zone():
    rng = random.Random(SEED)
    print("HOURS_SEED", SEED)
    questions, wanted = [], []

    def one(zone):
        for _ in range(12):
            at_ms = some_instant(rng, changes_of(zone.name))
            local = zone.local(at_ms // 1000)
            offset = zone.offset(at_ms // 1000)
            questions.append(f"local\t{zone.name}\t{at_ms}")
            wanted.append(f"{offset} {local.date()} {local.hour * 60 + local.minute}")
            day, minute = (local.date() - EPOCH_DAY).days, local.hour * 60 + local.minute
            if rng.random() < 0.5:
                day += rng.randrange(-1, 2)
                minute = rng.choice([0, 60, 120, 180, 1440, rng.randrange(2881)])
            first, second = zone.wall(day, minute)
            questions.append(f"wall\t{zone.name}\t{EPOCH_DAY + timedelta(days=day)}\t{minute}")
            wanted.append(f"{first * 1000} {second * 1000}")

    fair_turns(zones(), SECONDS, one)
    wrong = [(q, got, want) for q, got, want in zip(questions, ask(questions), wanted) if got != want]
    assert not wrong, f"{len(wrong)} of {len(questions)}, seed {SEED}: {wrong[:5]}"
    assert len(questions) >= 20 * len(zones())


def check_minutes(calendar, at_ms, next_ms):
    """Walks from minute to minute (for two days at most): none before the next opening is open."""
    today = (calendar.zone.local(at_ms // 1000).date() - EPOCH_DAY).days
    spans = calendar.all_spans(today - 3, today + 6)
    end = min(next_ms, at_ms + 2 * 86400000)
    for minute_ms in range(at_ms, end, 60000):
        assert not any(a * 1000 <= minute_ms < b * 1000 for a, b in spans), minute_ms
    if next_ms < at_ms + 2 * 86400000:
        assert any(a * 1000 <= next_ms < b * 1000 for a, b in spans), "lands outside every window"


@pytest.mark.long
def test_hours_in_every_zone():
    rng = random.Random(SEED + 1)
    print("HOURS_SEED", SEED)
    cases, questions = [], []

    def one(zone):
        for _ in range(4):
            at_ms = some_instant(rng, changes_of(zone.name))
            calendar = some_calendar(rng, zone, at_ms // 1000)
            cases.append((calendar, at_ms, calendar.next_open(at_ms), calendar.arrival(at_ms)))
            questions.append(f"hours\t{zone.name}\t{calendar.text()}\t{at_ms}")

    fair_turns(zones(), SECONDS, one)
    wrong, never, walked = [], 0, 0
    for question, answer, (calendar, at_ms, next_ms, arrival) in zip(questions, ask(questions), cases):
        want = "%s %s %s" % ("open" if next_ms == at_ms else "closed", "never" if next_ms is None else next_ms,
                             "%d %d" % arrival if arrival else "- -")
        never += next_ms is None
        if answer != want:
            wrong.append((question, answer, want))
        elif next_ms is not None and next_ms > at_ms and walked < 300:
            walked += 1
            check_minutes(calendar, at_ms, int(answer.split()[1]))
    assert not wrong, f"{len(wrong)} of {len(questions)}, seed {SEED}: {wrong[:5]}"
    assert len(questions) >= 4 * len(zones()) and never > 10 and walked > 100


def test_the_probe_refuses_what_it_does_not_know():
    """So that a typing error here can't pass for agreement."""
    for line in ("hours\tUTC\tmon=8-9\t0", "wall\tNo/Where\t2026-01-01\t0", "nonsense"):
        done = subprocess.run([PROBE], input=line + "\n", capture_output=True, text=True, timeout=10)
        assert done.returncode == 1 and done.stdout == "", line
