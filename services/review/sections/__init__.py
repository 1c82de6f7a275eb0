"""The chapters, a file for each group of them: findings and a voice in, a section out."""
