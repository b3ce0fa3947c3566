# SPDX-License-Identifier: Apache-2.0
"""The command line of a measurement with several verbs: PROGRAM VERB ARGUMENTS [-- WORDS]."""
import argparse
import sys


def argument(*names, **options):
    """As of ArgumentParser.add_argument."""
    return names, options


def run(description, verbs, words=None):
    """`verbs`: for each name what does it, a function of its arguments, and the list of these. `rest` among the arguments is what stands
    behind `--`. Gives what the function gives."""
    words = sys.argv[1:] if words is None else words
    cut = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    of_verbs = parser.add_subparsers(required=True)
    for name, (work, arguments) in verbs.items():
        of_verb = of_verbs.add_parser(name)
        of_verb.set_defaults(work=work, rest=words[cut + 1:])
        for names, options in arguments:
            of_verb.add_argument(*names, **options)
    found = parser.parse_args(words[:cut])
    return found.work(found)
