import t from 'tap';
import { cuts } from './cuts.js';
import { everyCutIsSurvived } from './power-cuts.js';
import { recordUpdate } from './recording.js';
import { btrfsFallback } from './variants.js';

void t.test('invariant 4: btrfs, a power cut at any moment leaves the old or the new system', async (t) => {
  const recording = await recordUpdate(btrfsFallback);
  t.teardown(() => {
    recording.dispose();
  });
  await everyCutIsSurvived(t, recording, cuts());
});
