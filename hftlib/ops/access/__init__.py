"""Who may look at a desk, who may act on it, and how they prove who they are.

    people.py     the file of people: names, roles, hashes, sealed secrets; mode 0600
    passwords.py  argon2id, the same work whether or not the name exists
    codes.py      the second factor (TOTP): each code is accepted once, also after a restart
    tokens.py     for programs: shown once, kept as a digest, with a scope and an end
    trying.py     wrong passwords wait longer and longer
    vault.py      secrets at rest, under a key of a keyring, a file or a systemd credential
    roles.py      which role may do what
    proving.py    all of that: a name, a password and a code are a person, or they are not

    hft access add ann --role operator

Worst case: whoever can read both the file of people and the key of its vault can make codes, but
no passwords.
"""
