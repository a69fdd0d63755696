"""The live page: a local web app in which runs are watched and games against policies are played."""
