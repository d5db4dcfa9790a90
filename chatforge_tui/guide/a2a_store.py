"""The tasks that the built-in agent remembers: the latest ones, in memory, gone with the program."""

from chatforge_tui.guide.a2a_task import GuideTask, TaskState


class TaskStore:
    """Tasks by id, bounded; the one that has ended longest ago is forgotten first, one that works never is."""

    def __init__(self, limit: int = 500) -> None:
        """Keep at most `limit` tasks, >= 1."""
        self._limit = limit
        self._tasks: dict[str, GuideTask] = {}

    def add(self, task: GuideTask) -> bool:
        """Take a new task in; False when every place is taken by a task that works."""
        if len(self._tasks) >= self._limit:
            resting = next((known for known in self._tasks.values() if known.rests), None)
            if resting is None:
                return False
            del self._tasks[resting.task_id]
        self._tasks[task.task_id] = task
        return True

    def find(self, task_id: str) -> GuideTask | None:
        """Return a task; None when there is none, or no more."""
        return self._tasks.get(task_id)

    def latest(self, context_id: str, state: TaskState | None) -> list[GuideTask]:
        """Return the tasks whose status changed last first, those of one context or state only if these are given."""
        wanted = [
            task
            for task in self._tasks.values()
            if context_id in ("", task.context_id) and state in (None, task.status.state)
        ]
        return sorted(wanted, key=lambda task: -task.status.at)
