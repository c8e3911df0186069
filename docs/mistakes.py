"""Mistakes made on purpose, each a whole file, for the table of `docs/strategies.md`."""

_HEAD = """import random
import hftlib as hft

@hft.strategy
class Idea:
    clip: int = hft.param(100, low=100, high=1000)
    fair: float = hft.state()
    count: int = hft.state()

    def on_book(self, ctx, i):
        """


def _body(line: str) -> str:
    return _HEAD + line + "\n"


MISTAKES = {
    "a field misspelt": _body("self.fiar = ctx.book(i).mid"),
    "a name of `ctx` misspelt": _body("ctx.qoute(i, 1.0, 2.0, self.clip)"),
    "an argument forgotten": _body("ctx.quote(i, bid=1.0, ask=2.0)"),
    "`self.` forgotten": _body("ctx.quote(i, 1.0, 2.0, clip)"),
    "a value called": _body("self.fair = ctx.book(i).mid()"),
    "a parameter assigned to": _body("self.clip = 200"),
    "a list": _body("past = [1.0, 2.0]"),
    "text": _body("side = 'buy'"),
    "chance": _body("self.fair = random.random()"),
    "a callback misspelt": _HEAD.replace("on_book", "on_boook") + "pass\n",
    "a field without annotation": _HEAD.replace("count: int", "count") + "pass\n",
    "a parameter out of bounds": _body("pass") + "\nPARAMETERS = {'clip': 5000}\n",
    "an unknown parameter": _body("pass") + "\nPARAMETERS = {'klip': 200}\n",
    "a float put into an int (told when compiled)": _body("self.count = ctx.book(i).mid"),
    "a float quantity (told when compiled)": _body("ctx.buy(i, 10.0, self.clip / 2)"),
    "`print` in compiled code (told when compiled)": _body("print(i)"),
}
