// How large, how safe and how long-lived things are in each stage. Imported by main.bicep; the only place that tells them apart.

@export()
@description('A stage. days: of the log retention, and of soft delete in storage; nodes: most that train at once.')
type Size = {
  storageSku: string
  logDays: int
  deletedDays: int
  versioning: bool
  lock: bool
  purgeProtection: bool
  trainingNodes: int
  registrySku: string
  mostInstances: int
  alwaysReady: int
}

@export()
var sizes = {
  dev: {
    storageSku: 'Standard_LRS'
    logDays: 30
    deletedDays: 7
    versioning: false
    lock: false
    purgeProtection: false
    trainingNodes: 1
    registrySku: 'Basic'
    mostInstances: 40
    alwaysReady: 0
  }
  test: {
    storageSku: 'Standard_LRS'
    logDays: 30
    deletedDays: 7
    versioning: false
    lock: false
    purgeProtection: false
    trainingNodes: 2
    registrySku: 'Basic'
    mostInstances: 40
    alwaysReady: 0
  }
  // Zone-redundant storage; an upload or a decision that was deleted by mistake comes back for a month.
  prod: {
    storageSku: 'Standard_ZRS'
    logDays: 90
    deletedDays: 30
    versioning: true
    lock: true
    purgeProtection: true
    trainingNodes: 4
    registrySku: 'Standard'
    mostInstances: 40
    alwaysReady: 0
  }
}
