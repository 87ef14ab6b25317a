complete --keep-order --exclusive --command tfstate --arguments "(COMPLETE=fish tfstate -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
