import t from 'tap';
import { cuts } from './cuts.js';
import { everyCutIsSurvived } from './power-cuts.js';
import { recordUpdate } from './recording.js';
import { ext4Resume } from './variants.js';

void t.test(
  'invariant 5: ext4 without a fallback, a power cut at any moment is resumed to the new system',
  async (t) => {
    const recording = await recordUpdate(ext4Resume);
    t.teardown(() => {
      recording.dispose();
    });
    await everyCutIsSurvived(t, recording, cuts());
  },
);
