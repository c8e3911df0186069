"""Events into books: order by order, by level, and across venues."""
