"""What knows of notebooks and pages: running them, their claims, tables and pictures."""
