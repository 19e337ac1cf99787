"""Skills with facts: letters of words, countries, animals, calendar, units, words, glossary.

A skill takes a Source and gives a conversation: a list of (question, answer).
"""
import tables
from source import capitalised, with_article, without_article

LETTER_KINDS = ["spell", "spell", "reverse", "count letters", "first", "last", "times", "after"]


def letters(source):
    rng = source.rng
    kind = rng.choice(LETTER_KINDS)
    word = source.draw(lambda: rng.choice(tables.WORDS), lambda drawn: ("word", drawn))
    shown = rng.choice([word, word, f'"{word}"', f"the word {word}", f'the word "{word}"'])
    if kind == "after":
        return neighbours(source, shown)
    spelled, fields = "-".join(word), {"v": shown}
    if kind == "times":
        fields["c"] = letter = rng.choice(word)
        times = word.count(letter)
        plural = "s" if times > 1 else ""
        answer = f"{spelled}: the letter {letter} appears {times} time{plural}."
    else:
        answer = {
            "spell": f"{spelled}.",
            "reverse": f"{spelled} backwards is {'-'.join(reversed(word))}.",
            "count letters": f"{spelled}: {len(word)} letters.",
            "first": f"The first letter of {word} is {word[0]}.",
            "last": f"The last letter of {word} is {word[-1]}.",
        }[kind]
    return source.turn(source.pick(tables.P[kind]), answer, **fields)


def neighbours(source, shown):
    """Two letters of the alphabet that stand side by side."""
    at = source.rng.randrange(25)
    left, right = chr(ord("a") + at), chr(ord("b") + at)
    after = source.rng.random() < 0.6
    if after:
        answer = f"The letter {right} comes after {left}."
    else:
        answer = f"The letter {left} comes before {right}."
    phrasing = source.pick(tables.P["letter after" if after else "letter before"])
    return source.turn(phrasing, answer, v=shown, x=left if after else right)


def capital_is(country, city):
    return f"The capital of {country} is {city}.".replace("..", ".")  # Washington, D.C.


def capitals(source):
    _, country, city = source.rng.choice(tables.PLACES)
    question = capitalised(source.pick(tables.P["capital"]).format(c=country))
    return source.turn(question, capital_is(country, city))


def capital_of(source):
    _, country, city = source.rng.choice(tables.PLACES)
    answer = f"{city} is the capital of {country}."
    return source.turn(source.pick(tables.P["capital of"]), answer, k=city)


def continents(source):
    on_one = [place for place in tables.PLACES if place[0]]
    continent, country, _ = source.rng.choice(on_one)
    answer = f"{capitalised(country)} is in {continent}."
    return source.turn(source.pick(tables.P["continent"]), answer, c=country)


def animals(source):
    name, sound, home, baby, legs = source.rng.choice(tables.ANIMALS)
    kinds = ["home", "baby"]
    if legs != "-":
        kinds += ["legs"]
    if sound != "-":
        kinds += ["sound", "sound"]
    kind = source.rng.choice(kinds)
    one = with_article(name)
    answer = {
        "sound": f"{capitalised(one)} {sound}.",
        "home": f"{capitalised(one)} lives in {home}.",
        "baby": f"A baby {name} is called {baby}.",
        "legs": f"{capitalised(one)} has {legs} legs.",
    }[kind]
    return source.turn(source.pick(tables.P[kind]), answer, x=one, n=name)


def colours(source):
    thing, colour = source.rng.choice(tables.COLOURS)
    spelling = source.rng.choice(["colour", "colour", "color"])
    answer = f"{capitalised(thing)} is {colour}."
    return source.turn(source.pick(tables.P["colour"]), answer, k=spelling, n=thing)


def calendar(source):
    rng = source.rng
    days = rng.choice([True, False])
    names = tables.DAYS if days else tables.MONTHS
    unit, whole = ("day", "week") if days else ("month", "year")
    kind, at = rng.randrange(6), rng.randrange(len(names))
    name = names[at]
    if kind < 2:
        answer = f"{names[(at + 1) % len(names)]} comes after {name}."
        return source.turn(source.pick(tables.P["day after"]), answer, k=unit, x=name)
    if kind < 4:
        answer = f"{names[at - 1]} comes before {name}."
        return source.turn(source.pick(tables.P["day before"]), answer, k=unit, x=name)
    if kind == 4:
        ordinal = tables.ORDINALS[at]
        answer = f"The {ordinal} {unit} of the {whole} is {name}."
        phrasing = source.pick(tables.P["which day"])
        return source.turn(phrasing, answer, k=unit, o=ordinal, of=whole)
    if rng.random() < 0.5:
        answer = ", ".join(names) + "."
        return source.turn(source.pick(tables.P["list days"]), answer, k=unit)
    return month_length(source)


def month_length(source):
    month = source.rng.randrange(12)
    length = f"{tables.MONTH_DAYS[month]} days"
    if month == 1:
        length += ", or 29 in a leap year"
    name = tables.MONTHS[month]
    return source.turn(source.pick(tables.P["month length"]), f"{name} has {length}.", m=name)


def units(source):
    entry, amount = source.rng.choice(tables.UNITS)
    link = " in " if " in " in entry else " on "
    part, whole = entry.split(link, 1)
    answer = f"There are {amount} {part}{link}{whole}."
    return source.turn(source.pick(tables.P["unit"]), answer, t=part, p=link, w=whole)


def opposites(source):
    word = source.rng.choice(list(tables.OPPOSITE))
    answer = f"The opposite of {word} is {tables.OPPOSITE[word]}."
    return source.turn(source.pick(tables.P["opposite"]), answer, w=word)


def synonyms(source):
    word = source.rng.choice(list(tables.SYNONYM))
    answer = f"Another word for {word} is {tables.SYNONYM[word]}."
    return source.turn(source.pick(tables.P["synonym"]), answer, w=word)


def rhymes(source):
    group = source.rng.choice(tables.RHYMES)
    word = source.rng.choice(group)
    others = [other for other in group if other != word][:2]
    verb = "rhymes" if len(others) == 1 else "rhyme"
    answer = f"{capitalised(' and '.join(others))} {verb} with {word}."
    return source.turn(source.pick(tables.P["rhyme"]), answer, w=word)


def translation(word, language, foreign):
    return f'"{word}" in {language} is "{foreign}".'


def translate(source):
    row, at = source.rng.choice(tables.LEXICON), source.rng.randrange(4)
    language = tables.LANGUAGES[at]
    shown = source.rng.choice([row[0], f'"{row[0]}"'])
    question = capitalised(source.pick(tables.P["translate"]).format(v=shown, l=language))
    return source.turn(question, translation(row[0], language, row[at + 1]))


def translate_back(source):
    row, at = source.rng.choice(tables.LEXICON), source.rng.randrange(4)
    word = row[at + 1]
    answer = f'"{word}" means "{row[0]}" in English.'
    phrasing = source.pick(tables.P["translate back"])
    return source.turn(phrasing, answer, w=word, l=tables.LANGUAGES[at])


def facts(source):
    question, answer = source.rng.choice(tables.FACTS)
    lower = question[0].lower() + question[1:]
    return source.turn(source.pick(tables.P["fact"]), answer, q=question, p=lower)


def glossary(source):
    rng = source.rng
    term, short, more = rng.choice(tables.GLOSSARY)
    fields = {"q": term, "b": without_article(term)}
    if rng.random() < 0.65:
        return define(source, tables.P["define"], fields, short)
    turns = source.turn(source.pick(tables.P["why"]), more, **fields)
    if rng.random() < 0.3:
        first = define(source, tables.P["define"][:8], fields, short)
        turns = first + [(source.pick(tables.P["go on"]), more)]
    return turns


def define(source, phrasings, fields, answer):
    return source.turn(capitalised(source.pick(phrasings).format(**fields)), answer)
