/** The online half of the apt payload; the plan that a package manager's plugin brings is in plugin-request.ts. */
import type { PackagesPlan } from '../../../update/plan.js';
import type { Payload } from '../../payload.js';
import { agreeToPlan, fetchPlan } from './apt-fetch.js';
import { planRequest } from './apt-plan.js';
import { contextOf, keepContext, planningPorts, type PlanningDependencies } from './planning.js';

export type AptPlanning = Pick<Payload<PackagesPlan>, 'plan' | 'fetch' | 'agree'>;

export function aptPlanning(dependencies: PlanningDependencies): AptPlanning {
  const ports = planningPorts(dependencies);
  return {
    async plan(request) {
      const { plan, context } = await planRequest(ports, request);
      return keepContext(plan, context);
    },
    fetch: (plan, stage, on, signal) => fetchPlan(ports, contextOf(plan), plan, stage, on, signal),
    agree: (plan, stage) => agreeToPlan(ports, contextOf(plan), plan, stage),
  };
}
