"""The way of a release to champion, and back: steps, what days must show for them, who watches."""
