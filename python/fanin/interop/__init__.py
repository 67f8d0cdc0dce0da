"""Where fanin meets other libraries; each module needs its own framework."""
