"""Random attacks on what the package claims, by referees that share no code with it.

Each module here is one attack. It has

    COUNT    how many cases `tests/test_attacks.py` tries at every run of the tests: a second or two
    attack(rng) -> list of str
             draws one case with the generator it is given, checks every claim by its own means, and returns a sentence
             for each claim that does not hold: what was given, what was claimed, what is right

`python tests/attack.py kernels --count 50000` tries many. A module whose name starts with an underscore is no attack
but shared by some: what cases are drawn from, and the referees.
"""
