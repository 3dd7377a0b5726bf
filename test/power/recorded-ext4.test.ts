import t from 'tap';
import { cuts } from './cuts.js';
import { everyCutIsSurvived } from './power-cuts.js';
import { recordUpdate } from './recording.js';
import { ext4Copy, ext4Resume } from './variants.js';

for (const [variant, name] of [
  [
    ext4Resume,
    'invariant 5: ext4 without a way back, a power cut at any moment is resumed to the new system',
  ],
  [ext4Copy, 'ext4 with a copy, a power cut at any moment leaves the old or the new system'],
] as const) {
  void t.test(name, async (t) => {
    const recording = await recordUpdate(variant);
    t.teardown(() => {
      recording.dispose();
    });
    await everyCutIsSurvived(t, recording, cuts());
  });
}
