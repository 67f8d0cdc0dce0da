"""The course material: the article's networks, and the page that shows them alive."""
