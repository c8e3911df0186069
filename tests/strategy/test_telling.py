"""The commonest mistakes: each is told in one sentence, at its own line, in words that help."""

import pytest
from cells import run_file, strategy_of

import hftlib as hft
from hftlib.core import jit

BOOK = "def on_book(self, ctx, i):\n"

# A body of a class; words of the sentence. `# here` marks the line that is to be named.
AT_ONCE = {
    "parameter assigned": (
        BOOK + "    self.clip = 5  # here",
        "'clip' is assigned to",
        "`clip_now: int = hft.state()`",
    ),
    "not a number, as text": (BOOK + "    self.fair = float('nan')  # here", "Write math.nan,"),
    "minus infinity, as text": (BOOK + "    self.fair = float('-inf')  # here", "Write -math.inf,"),
    "a number as text": (BOOK + "    self.count = int('7')  # here", "Write the number itself"),
    "the engine's own field": (BOOK + "    self.count = ctx.order_mask  # here", "no 'order_mask'"),
    "misspelt field": (BOOK + "    self.fiar = 1.0  # here", "self.fiar", "'fair'"),
    "unknown field": (BOOK + "    self.zzz = 1.0  # here", "self.zzz", "hft.state()"),
    "misspelt method": (
        "def skew(self): return 1\n" + BOOK + "    self.count = self.skwe()  # here",
        "self.skwe",
        "'skew'",
    ),
    "method not called": (
        "def skew(self): return 1\n" + BOOK + "    self.count = self.skew  # here",
        "not called",
        "brackets",
    ),
    "field called": (BOOK + "    self.fair = self.fair()  # here", "field", "brackets"),
    "misspelt of ctx": (BOOK + "    ctx.qoute(i, 1.0, 2.0, 3)  # here", "'qoute'", "'quote'"),
    "misspelt of book": (
        BOOK + "    b = ctx.book(i)\n    self.fair = b.midd  # here",
        "'midd'",
        "'mid'",
    ),
    "book's value called": (
        BOOK + "    self.fair = ctx.book(i).mid()  # here",
        "a value",
        "without brackets",
    ),
    "book's function not called": (
        BOOK + "    b = ctx.book(i)\n    self.fair = b.price_at  # here",
        "not called",
        ".price_at(...)",
    ),
    "missing argument": (
        BOOK + "    ctx.quote(i, bid=1.0, ask=2.0)  # here",
        "quantity",
        "It takes (i, bid, ask",
    ),
    "unknown keyword": (
        BOOK + "    ctx.buy(i, 1.0, 5, postonly=True)  # here",
        "postonly",
        "post_only",
    ),
    "too many arguments of a method": (
        "def skew(self, i): return i\n" + BOOK + "    self.count = self.skew(i, 2)  # here",
        "too many",
        "It takes (i)",
    ),
    "misspelt callback": ("def on_boook(self, ctx, i):  # here\n    pass", "on_boook", "'on_book'"),
    "callback's arguments": (
        "def on_trade(self, ctx, i):  # here\n    pass",
        "(self, ctx, i, trade)",
        "def on_trade",
    ),
    "missing self": ("def on_book(ctx, i):  # here\n    pass", "(self, ctx, i)", "Write"),
    "helper without self": ("def half(x):  # here\n    return x / 2", "lacks self", "self, x"),
    "no annotation": ("edge = hft.param(1)  # here", "'edge'", "annotation"),
    "list annotation": ("past: list = hft.state()  # here", "'list'", "size=32"),
    "mutable default": ("past: float = []  # here", "neither param nor state", "size=32"),
    "plain default": ("edge: int = 5  # here", "neither param nor state", "hft.param(5)"),
    "default out of bounds": ("edge: int = hft.param(9, high=5)  # here", "above", "at most 5"),
    "default of another type": ("edge: int = hft.param(1.5)  # here", "1.5", "whole number"),
    "name of a callback": ("on_book: int = hft.state()  # here", "callback", "another name"),
    "name of the engine": ("steps_left: int = hft.state()  # here", "engine", "another name"),
    "assigned parameter": (BOOK + "    self.clip = 5  # here", "'clip'", "hft.state"),
    "open": (BOOK + "    open('x')  # here", "Text", "numbers"),
    "import": (BOOK + "    import math  # here", "imports nothing", "top"),
    "with": (BOOK + "    with ctx:  # here\n        pass", "with", "outside"),
    "try": (BOOK + "    try:  # here\n        pass\n    finally:\n        pass", "catch", "Test"),
    "yield": (BOOK + "    yield 1  # here", "end", "yield"),
    "lambda": (BOOK + "    f = lambda x: x  # here", "inside of a method", "method"),
    "list": (BOOK + "    past = [1, 2]  # here", "list", "hft.state(size=32)"),
    "comprehension": (BOOK + "    past = [k for k in range(3)]  # here", "list", "size=32"),
    "dict": (BOOK + "    past = {1: 2}  # here", "dict", "array"),
    "text": (BOOK + "    side = 'buy'  # here", "Text", "numbers"),
    "f-string": (BOOK + "    name = f'{i}'  # here", "Text", "numbers"),
    "global": (BOOK + "    global count  # here\n    count = 1", "global", "hft.state()"),
    "del": (BOOK + "    del self.count  # here", "deleted", "0"),
    "class inside": (BOOK + "    class Inner: pass  # here", "inside", "method"),
    "random": (BOOK + "    self.fair = random.random()  # here", "Chance", "ctx.time"),
    "clock": (BOOK + "    self.count = time.time_ns()  # here", "clock", "ctx.time"),
    "numpy array": (BOOK + "    past = np.zeros(8)  # here", "numpy.zeros", "hft.state(size=32)"),
    "numpy chance": (BOOK + "    x = np.random.rand()  # here", "numpy.random", "chance"),
    "unknown name": (BOOK + "    self.fair = clipp * 2  # here", "'clipp'", "field"),
    "self forgotten": (BOOK + "    self.fair = clip * 2  # here", "'clip'", "self.clip"),
    "recursion": (
        "def deep(self, n):  # here\n    return self.deep(n - 1)\n",
        "calls itself",
        "loop",
    ),
    "several fields at once": (
        BOOK + "    self.count, self.fair = 1, 2.0  # here",
        "one by one",
        "line for each",
    ),
    "set on the context": (BOOK + "    ctx.time = 5  # here", "cannot be set", "self"),
    "put together exception": (
        BOOK + "    raise ValueError(i)  # here",
        "put together",
        "fixed text",
    ),
    "array's method": (BOOK + "    self.fair = self.window.sum()  # here", "'sum'", "loops"),
    "size of a strategy by name": (
        "past: float = hft.state(size='clip')  # here",
        "'clip'",
        "number",
    ),
}

WHEN_COMPILED = {
    "print": (BOOK + "    print(f'{i}')  # here", "print()", "compiled=False"),
    "breakpoint": (BOOK + "    breakpoint()  # here", "uncompiled", "compiled=False"),
    "float in an int field": (BOOK + "    self.count = 1.5 * i  # here", "float", "int(...)"),
    "float added to an int field": (BOOK + "    self.count += 0.5  # here", "float", "int(...)"),
    "float quantity": (
        BOOK + "    ctx.buy(i, 10.0, self.clip / 2)  # here",
        "'quantity'",
        "int(...)",
    ),
    "float index": (BOOK + "    self.fair = self.window[self.count / 2]  # here", "index", "//"),
    "two kinds": (
        BOOK
        + "    if i > 0:\n        x = ctx\n    else:\n        x = 1.0\n    self.fair = x  # here",
        "'x'",
        "one kind",
    ),
    "book as a number": (
        BOOK + "    b = ctx.book(i)\n    self.fair = b + 1  # here",
        "add",
        "book",
    ),
    "unknown of a number": (
        BOOK + "    x = self.fair\n    self.fair = x.mid  # here",
        "mid",
        "dot",
    ),
    "array made by adding": (
        BOOK + "    x = self.window + self.window  # here\n    self.fair = x[0]",
        "memory",
        "hft.state(size=",
    ),
}


def _told(folder, body, words, compiles):
    run, line = run_file(folder, strategy_of(body))
    with pytest.raises(hft.HftError) as caught:
        made = run()
        if compiles:
            made["Idea"]().entry()
    told = str(caught.value)
    assert f", line {line}: " in told, told
    for word in words:
        assert word in told
    assert "nopython" not in told and "\n" not in told and len(told) < 420, told


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_mistake_in_words_is_told_when_the_class_is_made(name, tmp_path):
    body, *words = AT_ONCE[name]
    _told(tmp_path, body, words, compiles=False)


@pytest.mark.skipif(not jit.COMPILED, reason="types are known to the compiler only")
@pytest.mark.parametrize("name", WHEN_COMPILED)
def test_a_mistake_in_types_is_told_when_it_is_compiled(name, tmp_path):
    body, *words = WHEN_COMPILED[name]
    _told(tmp_path, body, words, compiles=True)


def test_a_plain_function_is_refused_with_what_to_do(tmp_path):
    text = "def half(x):\n    return x / 2\n" + strategy_of(
        BOOK + "    self.fair = half(self.fair)  # here"
    )
    run, line = run_file(tmp_path, text)
    with pytest.raises(hft.HftError, match=rf"line {line}: .*half.* method of the class"):
        run()


@pytest.mark.parametrize("thing", ["ctx", "ctx.book(i)", "ctx.holding(i)", "ctx.order(1)"])
def test_a_hint_lists_nothing_that_is_not_for_strategies(thing, tmp_path):
    text = strategy_of(BOOK + f"    self.count = {thing}.xyzzy  # here")
    with pytest.raises(hft.HftError) as caught:
        run_file(tmp_path, text)[0]()
    listed = set(caught.value.do.removeprefix("There is ").rstrip(".").split(", "))
    assert len(listed) > 5, caught.value.do
    assert not listed & {"abi", "handles", "order_mask", "services", "entry", "context_at"}
    ends = {name for name in listed if name.endswith("_at")}
    assert ends <= {"price_at", "quantity_at"}
