"""What the subcommands of `consonance` do; `core.cli` says how they are called. Imported only when called."""
