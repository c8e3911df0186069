"""Whether what a backtest shows is there: each question a function, each answer a `Verdict`.

    hft.validate(sweep)                       all that can be asked of a sweep, one page
    hft.validation.pbo(sweep.pnl)             one question

Every answer says pass, fail or cannot tell, in a sentence, with its figures and a picture.
"""
