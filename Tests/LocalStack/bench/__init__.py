"""`make bench`: how fast it is, each time beside a peer or a floor measured in the same run.

A section is one file with one function, `measure(bench)`, which starts what it needs, takes its turns
interleaved (ours, peer, ours, peer …), and prints medians and ratios. Absolute numbers belong to the
machine they were taken on; ratios travel.
"""
