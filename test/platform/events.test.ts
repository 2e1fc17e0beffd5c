import { describe, expect, test } from 'vitest';
import { LocalEventBus } from '../../src/platform/events.ts';

describe('the event bus of one process', () => {
  test('tells every listener of a channel, in the order they came, and nobody else', () => {
    const bus = new LocalEventBus();
    const heard: string[] = [];
    bus.subscribe('job:1', (payload) => heard.push(`first ${payload}`));
    bus.subscribe('job:1', (payload) => heard.push(`second ${payload}`));
    bus.subscribe('job:2', (payload) => heard.push(`other ${payload}`));
    bus.publish('job:1', 'a');
    bus.publish('job:11', 'b');
    bus.publish('balance:1', 'c');
    expect(heard).toEqual(['first a', 'second a']);
  });

  test('says nothing more to who has left, and leaving twice does not send another away', () => {
    const bus = new LocalEventBus();
    const heard: string[] = [];
    const listen = (payload: string) => heard.push(payload);
    const leave = bus.subscribe('job:1', listen);
    bus.subscribe('job:1', listen);
    leave();
    leave();
    bus.publish('job:1', 'a');
    expect(heard).toEqual(['a']);
  });

  test('may be left from within a listener without anybody missing the event', () => {
    const bus = new LocalEventBus();
    const heard: string[] = [];
    const leave = bus.subscribe('job:1', () => {
      heard.push('first');
      leave();
    });
    bus.subscribe('job:1', () => heard.push('second'));
    bus.publish('job:1', '');
    bus.publish('job:1', '');
    expect(heard).toEqual(['first', 'second', 'second']);
  });

  test('takes any channel name, also those that mean something to the machinery below it', () => {
    const bus = new LocalEventBus();
    for (const channel of ['error', 'newListener', 'removeListener', '__proto__', 'constructor', '']) {
      const heard: string[] = [];
      bus.publish(channel, 'nobody listens');
      const leave = bus.subscribe(channel, (payload) => heard.push(payload));
      bus.publish(channel, 'hello');
      expect([channel, heard]).toEqual([channel, ['hello']]);
      leave();
    }
  });

  test('has room for a thousand listeners without a warning', () => {
    const bus = new LocalEventBus();
    let count = 0;
    const leave = Array.from({ length: 1000 }, () => bus.subscribe('job:1', () => count++));
    bus.publish('job:1', '');
    for (const end of leave) end();
    bus.publish('job:1', '');
    expect(count).toBe(1000);
  });
});
