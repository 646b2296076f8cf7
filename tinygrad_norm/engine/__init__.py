"""The engine: arrays that remember how they were computed, and the way back. Read the files in this order.

1. ``primitive.py`` — what is an operation? A forward function, its derivative, and names that say what to keep.
2. ``tape.py`` — what is recorded? Nodes, each one operation; and whether this thread records at all.
3. ``sweep.py`` — how do cotangents flow back? From the newest node to the oldest.
4. ``tensor.py`` — what is a Tensor, and what happens when a primitive meets one?
5. ``operators.py`` — which operation is ``x * y``, ``x[i]``, ``x.sum()``?
6. ``numpy_dispatch.py`` — and what is ``np.exp(x)``?

The operations themselves stand in ``primitives/``; read ``elementwise.py`` there with 1. ``complaints.py`` holds what
the engine says when something is wrong. ``details/`` need not be read to understand.

The way of ``x * y``::

    operators.py    Operators.__mul__(x, y)       names the primitive: apply(multiply, (x, y))
    tensor.py       apply(multiply, (x, y))       takes arrays, nodes and shapes out of the Tensors
    primitives/     multiply.forward              np.multiply on the arrays
      elementwise.py
    primitive.py    multiply.save(...)            for x's rule ḡ · y it keeps y, for y's rule ḡ · x it keeps x
    tensor.py       the result                    a Tensor: the product and its node, which points at those of x and y

The way of ``z.backward()``::

    tensor.py       Tensor.backward()             starts with ḡ = 1 at z's node
    sweep.py        sweep([(node, 1)])            the loop, until no operation waits
    sweep.py        Cotangents.newest()           the newest operation that has received something
    sweep.py        contributions(node, ḡ)        its rules, asked with what was saved ...
    primitive.py    multiply.pull_back(ḡ, saved)  ... give (ḡ · y, ḡ · x)
    sweep.py        Cotangents.add(...)           summed over what was broadcast, added to what x and y have
    tensor.py       Tensor.backward()             what the leaves have received is added to their ``grad``
"""
