/** `report [ID]`: what happened, for people or as JSON. */
import { exitCodes } from '../exit-codes.js';
import { oneUpdate } from '../one-update.js';
import type { TellingVerb } from '../verb.js';

export const report: TellingVerb = (program, invoke) => {
  program
    .command('report')
    .summary('the report of one update')
    .description('Tells what changed, how it ended and what to look at. Without ID: of the last update.')
    .argument('[id]', 'an id from offline-update history')
    .option('--json', 'print JSON')
    .option('--html', 'print one self-contained HTML page, with a picture of where the time went')
    .action(
      invoke<{ html?: boolean }>({
        failed: 'there is no report',
        async run({ words: [id], options, ports, out }) {
          const { store } = ports.online;
          const { buildReport } = await import('../../update/report.js');
          const { journalCommand } = await import('../../update/journal-command.js');
          const { reportPage } = await import('../pages/report-page.js');
          const update = await oneUpdate(store, id);
          const plan = await store.readPlan(update);
          const { rows, state } = update.journal;
          const logs = { journal: journalCommand(rows).join(' '), terminal: update.paths.terminalLog };
          const told = buildReport(plan, rows, state, logs);
          if (options.html) {
            const { reportHtml } = await import('../pages/report-html.js');
            out.line(reportHtml(told, plan).trimEnd());
          } else {
            for (const line of reportPage(told, plan)) out.line(line);
          }
          out.json(told);
          return exitCodes.done;
        },
      }),
    );
};
