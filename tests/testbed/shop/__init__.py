"""The shop's code: copied into a Git work tree of each run, where deploys and configuration changes edit it."""
