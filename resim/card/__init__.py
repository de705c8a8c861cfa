"""The generation card: what the user asks for, and the view plan, generator settings and options it resolves to."""
