"""The disk. The only package that imports sqlite3.

Several programs may have one store open. Each session has one writer: the program named in its row of `hold`, as long
as that program's operating-system lock is held (instances.py, holds.py). A program takes the sessions of its tabs:
those no other living program holds, when it starts and whenever a tab is opened; a session without a tab, when a turn
begins in it. It gives a session up when its tab is closed, when another program asks for it, or by its own end. What a
program writes of a session that another one holds is dropped, the title aside: a name may come from anywhere.
surroundings.py sees what the others did.
"""
