"""What a loop is: distances between texts, rules that find loops by them, and readers' labels."""
