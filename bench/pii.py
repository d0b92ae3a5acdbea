# SPDX-License-Identifier: Apache-2.0
"""Recall and precision of `lichen pii` by entity, on a corpus that is made here (pii_corpus.py), and its speed.

usage: bench/pii.py [--seed N] [--count N] [--speed-only | --no-speed] [--json] [--missed N]

A label counts as found when one finding of its entity covers it (touches it, where it is disguised: base64 is replaced in fours); a finding that touches no label of its entity is a false one. Values are held against
python3-stdnum where that is installed. Speed is bytes by processor time (user and system) of `lichen pii redact`, the best of five.
"""
import argparse
import importlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile

import pii_corpus

REPO = pathlib.Path(__file__).resolve().parent.parent
LICHEN = os.environ.get("LICHEN") or str(REPO / "build/lichen")
GOAL_SPEED = 300  # MB/s
STDNUM = {"CREDIT_CARD": "luhn", "IBAN_CODE": "iban", "US_SSN": "us.ssn", "ABA_ROUTING_NUMBER": "us.rtn", "UK_NHS": "gb.nhs", "IN_AADHAAR": "in_.aadhaar", "IN_PAN": "in_.pan",
          "ES_NIF": "es.dni", "ES_NIE": "es.nie", "IT_FISCAL_CODE": "it.codicefiscale", "PL_PESEL": "pl.pesel", "FI_PERSONAL_IDENTITY_CODE": "fi.hetu", "KR_RRN": "kr.rrn", "AU_ABN": "au.abn",
          "AU_TFN": "au.tfn"}


def entities():
    listed = subprocess.run([LICHEN, "pii", "list"], check=True, capture_output=True, text=True).stdout
    return [line.split()[0] for line in listed.splitlines()]


SAYS = {"ABA_ROUTING_NUMBER": "routing number ", "UK_NHS": "NHS number ", "IN_AADHAAR": "Aadhaar ", "AU_ABN": "ABN ", "AU_TFN": "TFN ", "US_SSN": "SSN "}


def stdnum_says(name, value):
    """Whether stdnum takes a value for one of an entity; None when it is not installed or does not know the entity."""
    try:
        module = importlib.import_module("stdnum." + STDNUM[name])
    except (ImportError, KeyError):
        return None
    if name == "CREDIT_CARD":  # its luhn takes digits only
        value = value.replace(" ", "").replace("-", "")
    if name == "US_SSN":
        value = value.replace(" ", "-")
    # national check digits within an IBAN are no part of its standard
    return module.is_valid(value, **({"check_country": False} if name == "IBAN_CODE" else {}))


def check_generator(names, seed):
    """The values that are made are valid to another implementation, too. Returns how many entities could be checked."""
    maker, checked = pii_corpus.Maker(seed), 0
    for name in names:
        values = [maker.make(name) for _ in range(200)]
        said = [stdnum_says(name, value) for value in values]
        if None not in said:
            checked += 1
            assert all(said), f"{name}: stdnum says that {values[said.index(False)]} is none"
    return checked


def compare_with_stdnum(names, seed, count):
    """Values with one or two characters changed: {entity: [asked, of them valid to both, to lichen alone, to stdnum alone]}."""
    maker, found = pii_corpus.Maker(seed), {}
    for name in names:
        if stdnum_says(name, "0") is None:
            continue
        lines, values = [], []
        for _ in range(count):
            value = list(maker.make(name))
            for _ in range(maker.r.randrange(3)):
                at = maker.r.choice([i for i, c in enumerate(value) if c.isalnum()])
                value[at] = maker.r.choice(pii_corpus.DIGITS if value[at].isdigit() else pii_corpus.UPPER)
            values.append("".join(value))
            lines.append(SAYS.get(name, "value ") + values[-1] + "\n")
        done = subprocess.run([LICHEN, "pii", "scan", "--json", f"--entities={name}"], input="".join(lines).encode(), capture_output=True, check=False)
        mine = {finding["line"] for finding in json.loads(done.stdout)["findings"]}
        row = [count, 0, 0, 0]
        for line, value in enumerate(values, 1):
            theirs = stdnum_says(name, value)
            row[1] += theirs and line in mine
            row[2] += line in mine and not theirs
            row[3] += theirs and line not in mine
        found[name] = row
    return found


def measure(names, seed, count, missed):
    data, labels = bytearray(), []
    for line, marks in pii_corpus.corpus(names, seed, count):
        labels += [(start + len(data), end + len(data), name, disguised) for start, end, name, disguised in marks]
        data += line
    done = subprocess.run([LICHEN, "pii", "scan", "--json"], input=bytes(data), capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)["findings"]
    rows = {name: {"labels": 0, "found": 0, "false": 0, "disguised": 0, "disguised_found": 0} for name in names}
    at, spans = 0, {name: [] for name in names}
    for finding in found:
        spans[finding["entity"]].append((finding["start"], finding["end"]))
    for name, mine in spans.items():
        wanted, at = [label for label in labels if label[2] == name], 0
        for start, end, _, disguised in wanted:
            while at < len(mine) and mine[at][1] <= start:
                rows[name]["false"] += 1
                complain(missed, "false", name, data, *mine[at])
                at += 1
            ok, touching = False, at
            while touching < len(mine) and mine[touching][0] < end:
                ok |= disguised or (mine[touching][0] <= start and mine[touching][1] >= end)
                touching += 1
            at = touching
            rows[name]["labels"] += 1
            rows[name]["found"] += ok
            rows[name]["disguised"] += disguised
            rows[name]["disguised_found"] += ok and disguised
            if not ok:
                complain(missed, "missed", name, data, start, end)
        for span in mine[at:]:
            rows[name]["false"] += 1
            complain(missed, "false", name, data, *span)
    return len(data), rows


def complain(left, what, name, data, start, end):
    if left[0] <= 0:
        return
    left[0] -= 1
    line = data.rfind(b"\n", 0, start) + 1
    print(f"{what} {name}: {bytes(data[start:end]).decode(errors='replace')!r} in {bytes(data[line:end + 40]).decode(errors='replace')!r}", file=sys.stderr)


def inputs(names, seed):
    """Kinds of input, some 32 MB each."""
    maker = pii_corpus.Maker(seed)
    r = maker.r
    words = pii_corpus.WORDS
    log = "".join(f"2026-11-23T{r.randrange(24):02d}:{r.randrange(60):02d}:{r.randrange(60):02d}.{r.randrange(1000):03d}Z INFO host-{r.randrange(99)} app[{r.randrange(65536)}]: {' '.join(r.choice(words) for _ in range(10))} "
                  f"id={r.getrandbits(32):08x} took {r.randrange(5000)} ms path=/api/v1/{r.choice(words)}/{r.randrange(10**6)}" + (f" client={maker.IP_ADDRESS()} user={maker.EMAIL_ADDRESS()}" if r.random() < 0.05 else "") + "\n" for _ in range(4000))
    prose = "".join(" ".join(r.choice(words).capitalize() if i == 0 else r.choice(words) for i in range(12)) + (". " if r.random() < 0.8 else ".\n\n") for _ in range(8000))
    rows = "".join(json.dumps({"id": r.randrange(10**9), "name": f"{r.choice(words)} {r.choice(words)}", "mail": maker.EMAIL_ADDRESS(), "phone": maker.PHONE_NUMBER(), "card": maker.CREDIT_CARD() if r.random() < 0.3 else None,
                               "created": f"2026-11-{r.randrange(1, 29):02d}", "note": " ".join(r.choice(words) for _ in range(15)), "amount": r.randrange(10**6) / 100}) + "\n" for _ in range(4000))
    dense = b"".join(line for line, _ in pii_corpus.corpus(names, seed, 100))
    for name, text in (("log lines", log.encode()), ("prose", prose.encode()), ("JSON rows, each with personal data", rows.encode()), ("this corpus", dense)):
        yield name, text * (32_000_000 // len(text))


def speed(names, seed):
    found = {}
    for kind, data in inputs(names, seed):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            best = None
            for _ in range(5):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run([LICHEN, "pii", "redact", file.name], stdout=subprocess.DEVNULL, check=True)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                best = took if best is None or took < best else best
            found[kind] = len(data) / best / 1e6
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500, help="values of each entity")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--speed-only", action="store_true")
    parser.add_argument("--no-speed", action="store_true")
    parser.add_argument("--missed", type=int, default=0, help="print so many of what was missed or false")
    given = parser.parse_args()
    names, report = entities(), {}
    if not given.speed_only:
        report["checked"] = check_generator(names, given.seed)
        report["stdnum"] = compare_with_stdnum(names, given.seed, 4 * given.count)
        report["bytes"], report["entities"] = measure(names, given.seed, given.count, [given.missed])
    if not given.no_speed:
        report["speed"] = speed(names, given.seed)
    if given.json:
        print(json.dumps(report, indent=2))
        return 0
    return show(report)


def show(report):
    """Prints the tables. Returns 1 when a goal is missed: recall 0.99, precision 0.98."""
    below = 0
    if "entities" in report:
        print(f"seed corpus of {report['bytes']} bytes; {report['checked']} kinds of values held against stdnum\n")
        print(f"{'entity':26} {'values':>7} {'recall':>7} {'precision':>9}  {'disguised':>9}")
        for name, row in report["entities"].items():
            recall = row["found"] / row["labels"]
            precision = row["found"] / max(1, row["found"] + row["false"])
            hidden = f"{row['disguised_found']}/{row['disguised']}" if row["disguised"] else ""
            mark = "" if recall >= 0.99 and precision >= 0.98 else "  below the goal"
            below += bool(mark)
            print(f"{name:26} {row['labels']:7} {recall:7.4f} {precision:9.4f}  {hidden:>9}{mark}")
    if report.get("stdnum"):
        print(f"\n{'changed values':26} {'asked':>7} {'both':>7} {'lichen':>7} {'stdnum':>7}  say that it is one")
        for name, row in report["stdnum"].items():
            print(f"{name:26} " + " ".join(f"{number:7}" for number in row))
        print()
    for kind, rate in report.get("speed", {}).items():
        print(f"{kind:40} {rate:6.0f} MB/s" + ("" if rate >= GOAL_SPEED else f"  below the goal, {GOAL_SPEED}"))
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
