// Names of the resources that more than one file knows, all made of one token. What only its own module knows is named there.

@export()
type Names = {
  appIdentity: string
  computeIdentity: string
  logs: string
  insights: string
  storage: string
  workspaceStorage: string
  containerRegistry: string
  workspace: string
  storageTopic: string
  workspaceTopic: string
  app: string
}

@export()
@description('The names of a deployment. Names of accounts and registries are global and take no hyphens.')
func namesOf(token string) Names => {
  appIdentity: 'id-upkeep-app-${token}'
  computeIdentity: 'id-upkeep-compute-${token}'
  logs: 'log-upkeep-${token}'
  insights: 'appi-upkeep-${token}'
  storage: 'stupkeep${token}'
  workspaceStorage: 'stupkeepml${token}'
  containerRegistry: 'crupkeep${token}'
  workspace: 'mlw-upkeep-${token}'
  storageTopic: 'evgt-upkeep-storage-${token}'
  workspaceTopic: 'evgt-upkeep-azureml-${token}'
  app: 'func-upkeep-${token}'
}

@export()
@description('Containers of Upkeep\'s account that only the platform uses.')
var containers = {
  package: 'app-package'
  deadLetters: 'deadletters'
}
