import { rm, truncate } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import type { Asset } from '../../src/assets/asset.ts';
import { CONTENT, deliveryServer, headersOf, SAFETY_HEADERS } from './delivery-server.ts';
import { tinyPicture } from './library.ts';

/** More than all buffers between a disk and a client hold. */
const big = () => tinyPicture('x'.repeat(32 * 1024 * 1024));

describe('delivering a picture', () => {
  const server = deliveryServer();

  describe('when storage fails', () => {
    const fileOf = (of: Asset) => join(server().library.folder, of.storageKey.slice(-2), of.storageKey);

    it.each([
      ['is gone', (path: string) => rm(path)],
      ['lost its end', (path: string) => truncate(path, 5)],
    ])('says so when the file %s, and tells the operator', async (_what, harm) => {
      await harm(fileOf(server().asset));
      const response = await server().get();
      expect(response.status).toBe(404);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.json()).toEqual({
        error: {
          code: 'NOT_FOUND',
          message: 'The bytes of this picture are missing from storage. The operator has been told.',
        },
      });
      expect(server().logged).toMatchObject([
        { level: 50, assetId: server().asset.id, msg: 'the bytes of an asset are missing or incomplete' },
      ]);
    });

    it('asks to try again when the file cannot be opened, and shows no path', async () => {
      vi.spyOn(server().library.storage, 'open').mockRejectedValue(
        new Error(`EMFILE: too many open files, ${server().library.folder}`),
      );
      const response = await server().get();
      expect(response.status).toBe(503);
      expect(headersOf(response)).toMatchObject({ ...SAFETY_HEADERS, 'cache-control': 'no-store' });
      expect(response.headers.get('etag')).toBeNull();
      expect(await response.json()).toEqual({
        error: {
          code: 'UNAVAILABLE',
          message: 'The picture cannot be read just now. Try again in a few seconds.',
        },
      });
      expect(server().logged).toMatchObject([{ msg: 'a picture could not be delivered' }]);
    });

    it('cuts the connection, rather than end as if all was well, when reading fails half way', async () => {
      const large = await server().keep(big());
      const open = server().library.storage.open.bind(server().library.storage);
      vi.spyOn(server().library.storage, 'open').mockImplementation(async (key, range) => {
        const stream = await open(key, range);
        stream.once('data', () => stream.destroy(new Error('EIO')));
        return stream;
      });
      await expect(fetch(server().urlOf(large)).then((response) => response.text())).rejects.toThrow();
      vi.restoreAllMocks();
      expect(await (await server().get()).text()).toBe(CONTENT);
    });
  });

  describe('when the client hangs up', () => {
    /** Watches every stream that is opened; `closed` settles when the first of them let go of its file. */
    function watchStreams(): { closed: Promise<void>; opened: Promise<Readable> } {
      const opened = Promise.withResolvers<Readable>();
      const closed = Promise.withResolvers<void>();
      const open = server().library.storage.open.bind(server().library.storage);
      vi.spyOn(server().library.storage, 'open').mockImplementation(async (key, range) => {
        const stream = await open(key, range);
        stream.once('close', () => closed.resolve());
        opened.resolve(stream);
        return stream;
      });
      return { closed: closed.promise, opened: opened.promise };
    }

    it('in the middle of a picture, closes the file, reads no further and serves the next', async () => {
      const large = await server().keep(big());
      const streams = watchStreams();
      const quitting = new AbortController();
      const response = await fetch(server().urlOf(large), { signal: quitting.signal });
      const reader = response.body?.getReader();
      await reader?.read();
      const stream = await streams.opened;
      quitting.abort();
      await streams.closed;
      expect(stream.destroyed).toBe(true);
      expect((stream as Readable & { bytesRead: number }).bytesRead).toBeLessThan(32 * 1024 * 1024);
      expect((await server().get()).status).toBe(200);
    });

    it('while the file is being opened, closes it all the same', async () => {
      const opening = Promise.withResolvers<void>();
      const hungUp = Promise.withResolvers<void>();
      const closed = Promise.withResolvers<void>();
      server().app.server.once('connection', (socket) => socket.once('close', () => hungUp.resolve()));
      const open = server().library.storage.open.bind(server().library.storage);
      vi.spyOn(server().library.storage, 'open').mockImplementation(async (key, range) => {
        const stream = await open(key, range);
        stream.once('close', () => closed.resolve());
        opening.resolve();
        await hungUp.promise;
        return stream;
      });
      const { port, pathname, search } = new URL(server().urlOf());
      const socket = connect(Number(port), '127.0.0.1');
      socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await opening.promise;
      socket.destroy();
      await closed.promise;
      vi.restoreAllMocks();
      expect((await server().get()).status).toBe(200);
    });

    it('does not read ahead of a client that does not read', async () => {
      const large = await server().keep(big());
      const streams = watchStreams();
      const { port, pathname, search } = new URL(server().urlOf(large));
      const socket = connect(Number(port), '127.0.0.1');
      socket.pause();
      socket.write(`GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const stream = (await streams.opened) as Readable & { bytesRead: number };
      await vi.waitFor(() => expect(stream.isPaused() || stream.readableFlowing === false).toBe(true));
      expect(stream.bytesRead).toBeLessThan(16 * 1024 * 1024);
      socket.destroy();
      await streams.closed;
    });
  });
});
