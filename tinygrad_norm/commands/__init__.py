"""The subcommands of ``tinygrad-norm``, one module each: arguments in, text or JSON out."""
