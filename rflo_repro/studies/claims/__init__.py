"""The paper's statements that belong to no figure, and what the studies find, each as a test on a study's table."""
