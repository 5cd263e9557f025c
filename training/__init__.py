"""What is trained with the project, and shipped as files that the hub only runs."""
