"""Skills of conversation: small talk, memory, follow-up questions, refusing, stories.

A skill takes a Source and gives a conversation: a list of (question, answer).
"""
import tables
from skills_facts import capital_is, capitals, colours, facts, glossary, opposites, translate
from skills_facts import translation, units
from skills_numbers import add
from source import TRAIN, capitalised, with_article, without_article

UNKNOWN = "I am a very small demo model, I do not know that."
TOO_BIG = "I am a very small demo model, I can only calculate with small numbers."


def talk(source):
    forms, answer = source.rng.choice(tables.TALK)
    question = source.pick(forms)
    lower = source.split == TRAIN and source.rng.random() < 0.1
    return [(question.lower() if lower else question, answer)]


def memory(source):
    """Names to remember and words to repeat: the answer stands in the conversation."""
    rng = source.rng
    kind = rng.randrange(4)
    name, word, other = source.draw(
        lambda: (rng.choice(tables.NAMES), rng.choice(tables.WORDS), rng.choice(tables.WORDS)),
        lambda drawn: ("mem", *drawn))
    if kind == 0:
        return remembered_name(source, name)
    if kind == 1:
        return [(source.pick(tables.P["my name?"]), "You have not told me your name yet.")]
    if kind == 2:
        words = [word, other, rng.choice(tables.WORDS), rng.choice(tables.WORDS)]
        said = " ".join(words[:rng.randint(1, 4)])
        return [(source.pick(tables.P["repeat"]).format(s=said), capitalised(said) + ".")]
    times = rng.randint(2, 4)
    phrasing = source.pick(tables.P["repeat times"])
    shown = tables.NUMBER_WORDS[times] if rng.random() < 0.5 else times
    return [(phrasing.format(x=word, k=shown), " ".join([word] * times) + ".")]


def remembered_name(source, name):
    rng = source.rng
    turns = [(source.pick(tables.P["my name is"]).format(n=name), f"Nice to meet you, {name}!")]
    if rng.random() < 0.4:
        turns += rng.choice([capitals, add, opposites, colours, talk])(source)
    return turns + [(source.pick(tables.P["what is my name"]), f"Your name is {name}.")]


def follow_up(source):
    """Second questions that mean nothing without the first."""
    rng = source.rng
    kind = rng.randrange(3)
    if kind == 0:
        (_, country, city), (_, next_country, next_city) = rng.sample(tables.PLACES, 2)
        second = source.pick(tables.P["and capital"])
        question = capitalised(source.pick(tables.P["capital"]).format(c=country))
        first = source.turn(question, capital_is(country, city))
        return first + [(second.format(c=next_country), capital_is(next_country, next_city))]
    if kind == 1:
        first = translate(source)
        language = rng.choice(tables.LANGUAGES)
        word = first[0][1].split('"')[1]
        row = next(row for row in tables.LEXICON if row[0] == word)
        foreign = row[1 + tables.LANGUAGES.index(language)]
        second = source.pick(tables.P["and language"]).format(l=language)
        return first + [(second, translation(word, language, foreign))]
    question, answer = rng.choice([capitals, opposites, facts, glossary, units])(source)[-1]
    return [(question, answer), (source.pick(tables.P["again"]), answer)]


def refuse(source):
    """Questions from outside the closed world, and words that do not exist."""
    rng = source.rng
    country = rng.choice(tables.PLACES)[1]
    invented = "".join(rng.choice(tables.SYLLABLES) for _ in range(rng.randint(2, 3)))
    kind = rng.randrange(8)
    if kind < 2:
        phrasing = rng.choice(tables.P["define"][:17])
        odd = source.pick(tables.ODD)
        question = phrasing.format(q=odd, b=without_article(odd))
    elif kind == 2:
        phrasing = rng.choice(tables.P["define"][:17])
        question = phrasing.format(q=with_article(invented), b=invented)
    elif kind == 3:
        phrasing = rng.choice(tables.P["capital"][:10])
        real = rng.random() < 0.6
        place = source.pick(tables.NOT_COUNTRIES) if real else capitalised(invented)
        question = phrasing.format(c=place)
    elif kind == 4:
        words = [*tables.UNKNOWN_WORDS[:6], invented, *tables.UNKNOWN_WORDS[6:]]
        word = rng.choice(words)
        language = rng.choice(tables.LANGUAGES + tables.OTHER_LANGUAGES)
        question = f"How do you say {word} in {language}?"
    elif kind == 5:
        return too_big(source)
    else:
        year, phrasing = rng.randint(1500, 2030), source.pick(tables.P["unknown"])
        name, thing = rng.choice(tables.NAMES), rng.choice(tables.THINGS)
        question = phrasing.format(y=year, c=country, n=name, t=thing)
    return source.turn(capitalised(question), UNKNOWN)


def too_big(source):
    rng = source.rng
    a, b = rng.randint(100, 99999), rng.randint(13, 99999)
    phrasing = source.pick(tables.P["calculate"])
    operator = rng.choice(["*", "*", "/", "+", "-", "times", "plus", "minus"])
    return source.turn(phrasing, TOO_BIG, e=f"{a} {operator} {b}")


def story(source):
    """Three to five sentences about the two things asked for, from a small grammar of plots."""
    rng = source.rng
    hero, other = source.draw(
        lambda: (rng.choice(tables.HEROES), rng.choice(tables.THINGS + tables.HEROES)),
        lambda drawn: ("story", *drawn))
    if other == hero:
        other = "lantern"
    phrasing = source.pick(tables.P["story"])
    words = {kind: rng.choice(tables.STORY[kind])
             for kind in ("adj", "home", "time", "where", "mood")}
    words |= {"x": hero, "y": other, "ax": with_article(hero), "ay": with_article(other),
              "aadj": with_article(words["adj"])}
    sentences = [rng.choice(tables.STORY["opening"])]
    if other in tables.HEROES:
        sentences.append(tables.STORY["meet"])
        plot = tables.STORY["meeting"]
    else:
        sentences.append(rng.choice(tables.STORY["find"]))
        words["look"] = rng.choice(tables.STORY["look"])
        words["wonder"] = rng.choice(tables.STORY["wonder"])
        plot = tables.STORY["finding"]
    sentences += [rng.choice(options) for options in plot]
    if rng.random() < 0.3:
        del sentences[3]
    text = " ".join(sentences).format(**words)
    return source.turn(phrasing, text, X=with_article(hero), Y=with_article(other))
