import { expect } from 'chai';
import { startSystem, type TestSystem } from '../../support/system.js';

describe('the page at /docs/', () => {
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system.stop());

  it('loads nothing from anywhere else, and no script of its own', async () => {
    const { status, headers, body } = await system.ask('GET', '/docs/');

    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.equal('text/html; charset=utf-8');
    const addresses = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    expect(addresses).to.have.lengthOf.above(3);
    for (const address of addresses) {
      expect(address).to.match(/^\/[^/]/);
      expect((await system.ask('GET', address)).status, address).to.equal(200);
    }
    expect(body).to.not.match(/<script(?![^>]*\bsrc=)/);
    expect(body).to.not.match(/<style|style=|onload=/);
  });

  it('has a policy of its own, that of other answers stays', async () => {
    const policy = (await system.ask('GET', '/docs/')).headers.get('content-security-policy') ?? '';

    expect(policy).to.include("default-src 'none'").and.include("script-src 'self'");
    expect(policy).to.not.include('unsafe');
    expect((await system.ask('GET', '/docs')).status).to.equal(200);
    const other = await system.ask('GET', '/api/users/me/');
    expect(other.headers.get('content-security-policy')).to.equal("default-src 'none'; frame-ancestors 'none'");
  });

  it('serves the library’s script, and no other file of the machine', async () => {
    const script = await system.ask('GET', '/docs/swagger-ui-bundle.js');
    expect(script.headers.get('content-type')).to.equal('text/javascript; charset=utf-8');
    expect(script.body).to.include('SwaggerUIBundle');

    for (const file of ['package.json', '..%2fpackage.json', '%2e%2e/package.json', '__proto__', 'constructor'])
      expect((await system.ask('GET', `/docs/${file}`)).status, file).to.equal(404);
  });
});
