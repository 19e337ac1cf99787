"""Skills with numbers: the four operations, word problems, comparing, counting and sorting.

A skill takes a Source and gives a conversation: a list of (question, answer).
"""
import tables

DIGITS = [str(n) for n in range(200)]


def calculate(source, sign, make):
    if sign == "+":  # a + b and b + a are one pair, so that neither gives the other away
        a, b = source.draw(make, lambda pair: (sign, *sorted(pair)))
    elif sign == "-":
        a, b = source.draw(make, lambda pair: (sign, *pair))
    else:  # the times tables are facts: all of them are trained
        a, b = make()
    result = {"+": a + b, "-": a - b, "*": a * b, "/": a // b if b else 0}[sign]
    expression, phrasings = written(source.rng, sign, a, b)
    return source.turn(source.pick(phrasings), f"{a} {sign} {b} = {result}.", e=expression)


def written(rng, sign, a, b):
    """An expression as digits, signs or words, and the phrasings that it fits into."""
    operator = rng.choice(tables.OPERATORS[sign])
    if operator == "and":
        return f"{a} and {b}", tables.P["sum"]
    if sign == "-" and rng.random() < 0.15:
        return f"{b} from {a}", tables.P["take from"]
    in_words = max(a, b) <= 20 and operator.isalpha() and rng.random() < 0.3
    names = tables.NUMBER_WORDS if in_words else DIGITS
    expression = f"{names[a]} {operator} {names[b]}"
    if not operator.isalpha() and rng.random() < 0.1:
        expression = expression.replace(" ", "")
    return expression, tables.P["calculate"]


def add(source):
    rng = source.rng
    return calculate(source, "+", lambda: (rng.randint(0, 99), rng.randint(0, 99)))


def subtract(source):
    rng = source.rng

    def make():
        a, b = rng.randint(0, 99), rng.randint(0, 99)
        return (a, b) if a >= b or rng.random() < 0.2 else (b, a)

    return calculate(source, "-", make)


def multiply(source):
    rng = source.rng
    return calculate(source, "*", lambda: (rng.randint(0, 12), rng.randint(0, 12)))


def divide(source):
    rng = source.rng

    def make():
        divisor, quotient = rng.randint(1, 12), rng.randint(0, 12)
        return divisor * quotient, divisor

    return calculate(source, "/", make)


def word_problem(source):
    rng = source.rng
    name, thing = rng.choice(tables.NAMES), rng.choice(tables.COUNTABLE)
    if rng.random() < 0.5:
        sign, phrasings = "+", tables.P["gets more"]
        a, b = source.draw(
            lambda: (rng.randint(1, 40), rng.randint(1, 40)), lambda pair: ("+", *sorted(pair)))
        rest = a + b
    else:
        sign, phrasings = "-", tables.P["has fewer"]
        a, b = source.draw(
            lambda: sorted((rng.randint(1, 50), rng.randint(1, 50)), reverse=True),
            lambda pair: ("-", *pair))
        rest = a - b
    answer = f"{a} {sign} {b} = {rest}. {name} has {rest} {thing}."
    return source.turn(source.pick(phrasings), answer, n=name, t=thing, a=a, b=b)


def compare(source):
    rng = source.rng
    top = rng.choice([20, 100, 100, 1000])
    a, b = source.draw(
        lambda: (rng.randrange(top), rng.randrange(top)), lambda pair: ("cmp", *pair))
    kind = rng.randrange(4)
    return which_is(source, kind == 0, a, b) if kind < 2 else is_it(source, a, b)


def which_is(source, greatest, a, b):
    words = ["bigger", "larger", "greater"] if greatest else ["smaller", "less", "lower"]
    word = source.pick(words)
    low, high = min(a, b), max(a, b)
    if a == b:
        answer = f"{a} and {b} are equal."
    else:
        answer = f"{high} is greater than {low}." if greatest else f"{low} is less than {high}."
    return source.turn(source.pick(tables.P["which is bigger"]), answer, w=word, a=a, b=b)


def is_it(source, a, b):
    rng = source.rng
    greater = rng.random() < 0.5
    asked = rng.choice(["greater", "bigger", "larger"] if greater else ["less", "smaller"])
    phrasing, said = source.pick(tables.P["is it bigger"]), "greater" if greater else "less"
    true = a > b if greater else a < b
    answer = f"Yes, {a} is {said} than {b}." if true else f"No, {a} is not {said} than {b}."
    return source.turn(phrasing, answer, w=asked, a=a, b=b)


def numbers(source):
    rng = source.rng
    kind = rng.randrange(5)
    n = source.draw(lambda: rng.randint(1, 98), lambda number: ("num", kind, number))
    if kind == 0:
        answer = f"{n + 1} comes after {n}."
        return source.turn(source.pick(tables.P["number after"]), answer, n=n)
    if kind == 1:
        answer = f"{n - 1} comes before {n}."
        return source.turn(source.pick(tables.P["number before"]), answer, n=n)
    if kind == 2:
        answer = f"{n} is {'odd' if n % 2 else 'even'}."
        return source.turn(source.pick(tables.P["even or odd"]), answer, n=n)
    if kind == 3:
        last = n + rng.randint(2, 9)
        answer = listed(range(n, last + 1))
        return source.turn(source.pick(tables.P["count"]), answer, n=n, m=last)
    some = rng.sample(range(100), 3)
    question = source.pick(tables.P["sort"])
    return source.turn(question, listed(sorted(some)), x=", ".join(map(str, some)))


def listed(values):
    return ", ".join(map(str, values)) + "."
