"""What a lesson is, and how it is shown: as text, HTML, Markdown, data."""
