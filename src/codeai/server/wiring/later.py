"""What a process does when no request waits for it: executions, jobs, events and their deliveries."""

from __future__ import annotations

from codeai.durable.faults import fault_points
from codeai.durable.process import Durable
from codeai.functions.calling import PythonFunctions
from codeai.functions.checking import problems
from codeai.http.plans import Runtime
from codeai.server.errors import StartError, compiling
from codeai.server.wiring.control import program_queues
from codeai.server.wiring.dispatching import dispatcher
from codeai.server.wiring.durable import Arrivals
from codeai.server.wiring.events import Eventing
from codeai.server.wiring.figures import LaterFigures
from codeai.server.wiring.foundation import Foundation
from codeai.server.wiring.program_log import log_program


class Later:
    """The rooms that share one dispatcher; they give the runtime its effects.

    :param figures: count executions and steps
    :raises StartError: something of the program cannot be compiled, or its Python is not as it says
    """

    def __init__(self, foundation: Foundation, runtime: Runtime, figures: LaterFigures) -> None:
        self._foundation = foundation
        self._runtime = runtime
        virtual = foundation.virtual
        milliseconds = (lambda: int(virtual().timestamp() * 1000)) if virtual is not None else None
        self.queues = program_queues(foundation.application, foundation.evaluator)
        self.dispatcher = dispatcher(
            foundation.settings, runtime.database, self.queues, milliseconds, foundation.folder, recording=foundation.recording
        )
        runtime.effects.python = self._functions()
        with compiling():
            self.durable = self._durable(figures)
            self.eventing = self._eventing()

    @property
    def active(self) -> bool:
        """Whether the program has something of the kind: somebody has to work on it."""
        return self.eventing.active or self.durable.active

    def _functions(self) -> PythonFunctions:
        application, folder = self._foundation.application, self._foundation.folder
        for problem in problems(application, folder):
            if not problem.missing:
                raise StartError(problem.message, problem.at)
        return PythonFunctions(application, folder)

    def _durable(self, figures: LaterFigures) -> Durable:
        foundation, effects = self._foundation, self._runtime.effects
        found = Durable(
            foundation.application,
            self._runtime.database,
            self.dispatcher,
            foundation.evaluator,
            foundation.evaluator_of,
            effects,
            foundation.services,
            log_program,
            foundation.clock,
            on_change=figures.ended,
        )
        found.parts.recorder.on_step = figures.step
        effects.starter = found.executions
        return found

    def _eventing(self) -> Eventing:
        foundation = self._foundation
        found = Eventing(
            foundation.application,
            self._runtime.database,
            self.dispatcher,
            foundation.settings,
            foundation.evaluator,
            foundation.statements.model.plain,
            foundation.triggers,
            foundation.clock,
            foundation.folder,
            recording=foundation.recording,
            passed=fault_points(dict(foundation.environment)),
        )
        found.connect(self._runtime.effects, foundation.services, log_program, self.durable.executions)
        found.relay.listen(Arrivals(foundation.application, self.durable, foundation.clock))
        return found
