#!/usr/bin/python3
"""Conditions answer what Prometheus answers: value for value, label for label.

promtool (Debian's package prometheus) is given the same series and the same expressions as rule
tests that expect nothing, and says what it got instead. Fixed cases come first, then seeded ones.

    test_conditions_answer_as_prometheus_does.py BIN [--seeds N] [--seed S]
"""
import argparse
import math
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import json

HERE = os.path.dirname(os.path.abspath(__file__))
EXPRESSIONS_A_SEED = 250
POINTS = 60  # one a second


# -- series -----------------------------------------------------------------------------------------

class Series:
    def __init__(self, name, labels, values):
        self.name, self.labels, self.values = name, labels, values  # a value or None, one a second

    def selector(self):
        pairs = ",".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in self.labels.items())
        return f"{self.name}{{{pairs}}}"


def number(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    return repr(value)


def for_promtool(series):
    return " ".join("_" if v is None else number(v) for v in series.values)


def for_us(series):
    lines = ["\t".join(["S", series.name] + [x for pair in series.labels.items() for x in pair])]
    lines += [f"P\t{i * 1000}\t{number(v)}" for i, v in enumerate(series.values) if v is not None]
    return lines


# -- the two sides ----------------------------------------------------------------------------------

def ask_us(program, series, cases):
    lines = [line for s in series for line in for_us(s)]
    lines += [f"E\t{at}\t{text}" for text, at in cases]
    run = subprocess.run([program], input="\n".join(lines) + "\n", capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    answers = run.stdout.split("\n")[:-1]
    assert len(answers) == len(cases), f"{len(answers)} answers to {len(cases)} conditions"
    return answers


def ask_promtool(series, cases):
    """The answers of promtool in order: what it got, or "error …"; "" where it got nothing."""
    document = {"tests": [{
        "interval": "1s",
        "input_series": [{"series": s.selector(), "values": for_promtool(s)} for s in series],
        # a comment makes each expression one of its own
        "promql_expr_test": [{"expr": f"{text} # {i}", "eval_time": f"{at}ms"} for i, (text, at) in enumerate(cases)]}]}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cases.yml")
        with open(path, "w") as out:
            json.dump(document, out, ensure_ascii=False)  # JSON is YAML
        run = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, timeout=300)
    answers = [""] * len(cases)
    shown = re.compile(r'^    expr: "(?:[^"\\]|\\.)* # (\d+)", time: [^ ]+,(?: err: (.*)|)$')
    current = None
    for line in run.stdout.split("\n") + run.stderr.split("\n"):
        match = shown.match(line)
        if match and match.group(2) is not None:
            answers[int(match.group(1))] = "error " + match.group(2)
        elif match:
            current = int(match.group(1))
        elif line.startswith("        got: "):
            answers[current] = line[len("        got: "):]
    assert run.returncode == 0 or any(answers), run.stdout[-2000:] + run.stderr[-2000:]
    return ["" if a == "nil" else a for a in answers]


# -- comparing --------------------------------------------------------------------------------------

ELEMENT = re.compile(r'\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\} ([^ ,]+)(?:, |$)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def read_answer(text):
    elements, at = {}, 0
    while at < len(text):
        match = ELEMENT.match(text, at)
        assert match, f"cannot read {text[at:]!r}"
        labels = tuple(sorted((k, json.loads(f'"{v}"')) for k, v in LABEL.findall(match.group(1))))
        assert labels not in elements, f"twice {labels} in {text!r}"
        elements[labels] = float(match.group(2))
        at = match.end()
    return elements


def same_bits(a, b):
    return (math.isnan(a) and math.isnan(b)) or struct.pack("d", a) == struct.pack("d", b)


def inexact(text):
    """Prometheus forms sums over series in no fixed order and ranks 0 and -0 alike, and Go's power is not C's."""
    return re.search(r"\b(sum|avg|stddev|quantile)\b|\^", text) is not None


def same_value(text, a, b):
    if same_bits(a, b):
        return True
    return inexact(text) and (a == b or math.isclose(a, b, rel_tol=1e-10, abs_tol=1e-12))


def same(text, ours, theirs):
    if ours.startswith("error ") or theirs.startswith("error "):
        return ours.startswith("error ") and theirs.startswith("error ")
    a, b = read_answer(ours), read_answer(theirs)
    return a.keys() == b.keys() and all(same_value(text, a[k], b[k]) for k in a)


def compare(program, series, cases, what):
    """How many differ; each is told."""
    differing = 0
    ours, theirs = ask_us(program, series, cases), ask_promtool(series, cases)
    for (text, at), a, b in zip(cases, ours, theirs):
        if same(text, a, b):
            continue
        differing += 1
        print(f"{what}: {text}   at {at} ms\n    tocsin:     {a}\n    prometheus: {b}")
    answered = sum(1 for b in theirs if b and not b.startswith("error "))
    failing = sum(1 for b in theirs if b.startswith("error "))
    return differing, answered, failing


# -- seeded series and expressions ------------------------------------------------------------------

JOBS, HOSTS = ["api", "web"], ["a", "b", "c"]
METRICS = ["requests_total", "errors_total", "temperature", "limit", "up", "load"]


def values_of(dice, name):
    """Multiples of 1/8, so that sums are the same in any order."""
    total, values = 0.0, []
    for _ in range(POINTS):
        if dice.random() < 0.15:
            values.append(None)
            continue
        if name.endswith("_total"):
            total = 0.0 if dice.random() < 0.05 else total + dice.randrange(0, 80) / 8
            values.append(total)
        elif name == "up":
            values.append(float(dice.random() < 0.8))
        elif dice.random() < 0.03:
            values.append(dice.choice([math.nan, math.inf, -math.inf, 0.0, -0.0]))
        else:
            values.append(dice.randrange(-800, 800) / 8)
    if dice.random() < 0.2:  # it ends early
        values[dice.randrange(1, POINTS):] = [None]
    return values


def buckets_of(dice):
    series = []
    for host in HOSTS:
        rows, at = [], 0.0
        bounds = ["0.1", "0.5", "1", "+Inf"]
        counts = [[0.0] * POINTS for _ in bounds]
        for second in range(POINTS):
            for i in range(len(bounds)):
                rise = float(dice.randrange(0, 5))
                counts[i][second] = (counts[i][second - 1] if second else 0.0) + rise
        for i in range(1, len(bounds)):
            for second in range(POINTS):
                counts[i][second] += counts[i - 1][second]
        for bound, row in zip(bounds, counts):
            if dice.random() < 0.95:
                series.append(Series("latency_bucket", {"host": host, "le": bound}, row))
    return series


def unlike_values(dice, own):
    """Those of no two series, nor of sums of them, are equal: among equals Prometheus ranks any first."""
    return [None if dice.random() < 0.1 else dice.randrange(-800, 800) / 8 + own / 8 for _ in range(POINTS)]


def seeded_series(dice):
    series, unlike = [], 0
    for name in METRICS:
        for job in JOBS:
            for host in HOSTS:
                if name == "load":
                    unlike += 1
                    series.append(Series(name, {"job": job, "host": host}, unlike_values(dice, 2.0 ** -unlike)))
                elif dice.random() < 0.75:
                    labels = {"job": job, "host": host}
                    if name == "limit":
                        del labels["host"]
                        if host != "a":
                            continue
                    if dice.random() < 0.2:
                        labels["zone"] = dice.choice(["eu", "us-1"])
                    series.append(Series(name, labels, values_of(dice, name)))
    return series + buckets_of(dice)


class Writer:
    """Writes expressions, well typed nearly always."""

    def __init__(self, dice):
        self.dice = dice

    def pick(self, *choices):
        return self.dice.choice(choices)

    def chance(self, share):
        return self.dice.random() < share

    def duration(self):
        return self.pick("5s", "10s", "30s", "1m", "4s500ms", "1m5s")

    def number(self):
        return self.pick("0", "1", "2", "0.5", "-3", "10", "1e2", "0x1f", "Inf", "NaN", "-0.25", "3.75", "010")

    def matchers(self):
        rows = []
        for label, values in (("job", JOBS), ("host", HOSTS), ("zone", ["eu", "us-1", ""])):
            if self.chance(0.25):
                operator = self.pick("=", "!=", "=~", "!~")
                value = self.dice.choice(values)
                if "~" in operator:
                    value = self.pick(value, ".*", ".+", "[ab]", "a|c", "(?:a|b).?", "^a", "e(u)?", "\\\\w+", "[^a]*", "us-[0-9]{1,2}")
                rows.append(f'{label}{operator}"{value}"')
        return "{" + ",".join(rows) + "}" if rows or self.chance(0.1) else ""

    def selector(self):
        if self.chance(0.05):
            return '{__name__=~"' + self.pick("errors.*", "up|limit", ".*_total") + '"' + (',job="api"' if self.chance(0.5) else "") + "}"
        if self.chance(0.05):
            return '{__name__="' + self.dice.choice(METRICS) + '"}'
        return self.dice.choice(METRICS) + self.matchers()

    def offset(self):
        return f" offset {self.pick('', '-')}{self.duration()}" if self.chance(0.15) else ""

    def range(self):
        return f"{self.selector()}[{self.duration()}]{self.offset()}"

    def labels(self, *more):
        names = [n for n in ("job", "host", "zone", "__name__") + more if self.chance(0.35)]
        return "(" + ", ".join(names) + ")"

    def scalar(self, depth):
        if depth <= 0 or self.chance(0.5):
            return self.number()
        return self.dice.choice([
            lambda: "time()",
            lambda: f"scalar({self.vector(depth - 1)})",
            lambda: f"({self.scalar(depth - 1)} {self.pick('+', '-', '*', '/', '%', '^')} {self.scalar(depth - 1)})",
            lambda: f"({self.scalar(depth - 1)} {self.pick('>', '<=', '==', '!=')} bool {self.scalar(depth - 1)})",
            lambda: f"-({self.scalar(depth - 1)})",
        ])()

    def over_time(self, depth):
        function = self.pick(
            "rate", "irate", "increase", "delta", "deriv", "avg_over_time", "min_over_time", "max_over_time",
            "sum_over_time", "count_over_time", "stddev_over_time", "last_over_time", "present_over_time", "changes",
            "resets", "absent_over_time", "quantile_over_time")
        if function == "quantile_over_time":
            return f"quantile_over_time({self.pick('0.5', '0.9', '0', '1', '1.5', '-1')}, {self.range()})"
        return f"{function}({self.range()})"

    def aggregation(self, depth):
        operator = self.pick("sum", "avg", "min", "max", "count", "stddev", "topk", "bottomk", "quantile")
        parameter = ""
        if operator in ("topk", "bottomk"):
            parameter = self.pick("1", "2", "3", "0", "100", "1.7") + ", "
        if operator == "quantile":
            parameter = self.pick("0.5", "0.25", "0.9", "0", "1", "-0.1", "1.1") + ", "
        operand = f"({parameter}{self.ranked() if 'k' in operator else self.vector(depth - 1)})"
        grouping = self.pick("by", "without") + " " + self.labels()
        return self.dice.choice([f"{operator}{operand}", f"{operator} {grouping} {operand}", f"{operator}{operand} {grouping}"])

    def ranked(self):
        load = "load" + self.matchers()
        return self.pick(load, f"-{load}", f"sum by (job) ({load})", f"{load} * 2", f"{load} > 3", f"abs({load})", f"sum_over_time({load}[10s])")

    def mapped(self, depth):
        function = self.pick("abs", "ceil", "floor", "round", "clamp_min", "clamp_max", "clamp")
        vector = self.vector(depth - 1)
        extra = {"clamp_min": 1, "clamp_max": 1, "clamp": 2, "round": self.pick(0, 1)}.get(function, 0)
        return f"{function}({', '.join([vector] + [self.scalar(1) for _ in range(extra)])})"

    def matching(self, sets):
        if self.chance(0.25):
            return ""
        on = self.chance(0.6)
        text = f" {'on' if on else 'ignoring'} {self.pick('(job, host)', '(job)', '(host)', self.labels())}"
        if not sets and self.chance(0.4):
            text += f" {self.pick('group_left', 'group_right')}" + self.pick("", "()", " (zone)")
        return text

    def binary(self, depth):
        kind = self.dice.random()
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        if kind < 0.25:
            operator = self.pick("and", "or", "unless")
            return f"{left} {operator}{self.matching(True)} {right}"
        operator = self.pick("+", "-", "*", "/", "%", "^", "==", "!=", ">", "<", ">=", "<=")
        if operator in ("==", "!=", ">", "<", ">=", "<=") and self.chance(0.3):
            operator += " bool"
        if kind < 0.6:
            sides = [left, self.scalar(depth - 1)]
            self.dice.shuffle(sides)
            return f"{sides[0]} {operator} {sides[1]}"
        return f"{left} {operator}{self.matching(False)} {right}"

    def special(self, depth):
        return self.dice.choice([
            lambda: f"absent({self.vector(depth - 1)})",
            lambda: "absent(" + self.pick('gone{job="x"}', 'gone{job="x",job="y",host="z"}', '(gone{a="b"})', 'gone{a=~"b"}', 'sum(gone{a="b"})', '{__name__=~"gone",a="b"}') + ")",
            lambda: f"vector({self.scalar(depth - 1)})",
            lambda: f'label_replace({self.vector(depth - 1)}, "{self.pick("zone", "new", "job", "__name__")}", "{self.pick("$1", "x-$1", "${1}y", "$2$1", "", "$$")}", '
                    f'"{self.pick("host", "job", "none")}", "{self.pick("(.*)", "(a|b)(.*)", "a(.)(.)", "", "[a-z]")}")',
            lambda: f"histogram_quantile({self.pick('0.5', '0.9', '0.99', '0', '1', '2', '-1')}, {self.pick('latency_bucket', 'rate(latency_bucket[30s])', 'sum by (le) (latency_bucket)', 'sum by (le, host) (rate(latency_bucket[1m]))', 'temperature')})",
            lambda: f"-{self.selector()}",
            lambda: f"+{self.selector()}",
        ])()

    def vector(self, depth):
        if depth <= 0:
            return self.selector() + self.offset() if self.chance(0.6) else self.over_time(depth)
        return self.dice.choice([
            lambda: self.selector() + self.offset(),
            lambda: self.over_time(depth),
            lambda: self.aggregation(depth),
            lambda: self.aggregation(depth),
            lambda: self.mapped(depth),
            lambda: self.binary(depth),
            lambda: self.binary(depth),
            lambda: self.special(depth),
            lambda: f"({self.vector(depth - 1)})",
        ])()

    def broken(self, text):
        """One character more, less or other: both must take it, or both refuse it."""
        at = self.dice.randrange(len(text))
        piece = self.pick("", "(", ")", "{", "}", "[", "]", ",", '"', "5m", " bool ", " on ", "=", "~", "-", "1.2.3", "@", " by (job) ")
        return text[:at] + piece + text[at + self.pick(0, 1):]

    def expression(self):
        text = self.vector(self.pick(0, 1, 2, 3)) if self.chance(0.9) else self.scalar(3)
        return text


# What a broken text may run into that is refused by name, or is more than PromQL.
BEYOND = re.compile(r"@|\[[^\]]*:|%\s*($|[)\],}<>=!*/%^]|and\b|or\b|unless\b)|\bstart\b|\bend\b")


def seeded_cases(dice):
    writer, cases = Writer(dice), []
    while len(cases) < EXPRESSIONS_A_SEED:
        text = writer.expression()
        if dice.random() < 0.1:
            text = writer.broken(text)
            if BEYOND.search(text):
                continue
        cases.append((text, dice.choice([0, 1000, 5000, 30000, 30500, 59000, 59999, 61000, 90000, 359000, 400000])))
    return cases


# -- fixed cases ------------------------------------------------------------------------------------

def fixed(program):
    with open(os.path.join(HERE, "conditions.json")) as file:
        groups = json.load(file)
    differing = answered = failing = 0
    for group in groups:
        series = [Series(s["name"], s["labels"], [None if v is None else float(v) for v in s["values"]]) for s in group["series"]]
        cases = [(text, at) for at in group["at"] for text in group["conditions"]]
        d, a, f = compare(program, series, cases, group["about"])
        differing, answered, failing = differing + d, answered + a, failing + f
    return differing, answered, failing


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bin", help="the folder of the programs, as build/asan/bin")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    program = os.path.join(given.bin, "..", "tests", "evaluate_conditions")
    seeds = [given.seed] if given.seed is not None else range(1, given.seeds + 1)
    differing, answered, failing = fixed(program) if given.seed is None else (0, 0, 0)
    assert answered > 0 or given.seed is not None, "no fixed case was answered"
    for seed in seeds:
        dice = random.Random(seed)
        series = seeded_series(dice)
        d, a, f = compare(program, series, seeded_cases(dice), f"seed {seed}")
        differing, answered, failing = differing + d, answered + a, failing + f
    print(f"{answered} answered alike and {failing} refused by both, but {differing} differ" if differing else
          f"{answered} answered alike, {failing} refused by both")
    assert answered > 20 * len(seeds), "hardly anything was answered"
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
